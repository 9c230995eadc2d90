/** A hint where a word that isn't among an option's or an argument's choices is close to one that is. */
import { type Argument, type Command, InvalidArgumentError, type Option } from "commander";
import { nearestWord } from "../machine/nearest.ts";

/** Adds the hint to every choice of a command and of all below it. */
export function hintAtChoices(command: Command): void {
  for (const option of command.options) hint(option);
  for (const argument of command.registeredArguments) hint(argument);
  for (const below of command.commands) hintAtChoices(below);
}

function hint(taking: Option | Argument): void {
  const { argChoices: choices, parseArg: parse } = taking;
  if (choices === undefined || parse === undefined) return;
  taking.argParser((text: string, previous: unknown) => {
    try {
      return parse.call(taking, text, previous as never);
    } catch (error) {
      const nearest = error instanceof InvalidArgumentError ? nearestWord(text, choices) : undefined;
      if (nearest === undefined) throw error;
      throw new InvalidArgumentError(`${(error as InvalidArgumentError).message} Did you mean ${nearest}?`);
    }
  });
}
