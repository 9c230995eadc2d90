/**
 * The command line as plain data: every command with its arguments, options and help, read from the commander program that
 * parses them. Completions and the manual page are made from this and so can't tell anything else.
 */
import type { Argument, Command, Option } from "commander";

export interface ValueOutline {
  /** What stands between the angle brackets. */
  readonly name: string;
  readonly required: boolean;
  readonly variadic: boolean;
  /** The only words allowed; undefined where more is. */
  readonly choices: readonly string[] | undefined;
}

export interface ArgumentOutline extends ValueOutline {
  readonly summary: string;
}

export interface OptionOutline {
  /** As typed, the long form last. */
  readonly names: readonly string[];
  readonly value: ValueOutline | undefined;
  readonly summary: string;
  /** The default, if there is one to tell. */
  readonly otherwise: string | undefined;
}

export interface CommandOutline {
  /** From the program down: `["setway", "machine", "show"]`. */
  readonly path: readonly string[];
  readonly summary: string;
  /** What follows the path in a usage line. */
  readonly usage: string;
  readonly arguments: readonly ArgumentOutline[];
  readonly options: readonly OptionOutline[];
  readonly commands: readonly CommandOutline[];
  /** What the help says after its lists: examples, exit codes. */
  readonly notes: string;
}

/** Reads a command and all below it. `above` are the names of those it belongs to. */
export function outlineOf(command: Command, above: readonly string[] = []): CommandOutline {
  const path = [...above, command.name()];
  const help = command.createHelp();
  return {
    path,
    summary: command.description(),
    usage: command.usage(),
    arguments: command.registeredArguments.map(argumentOf),
    options: help.visibleOptions(command).map(optionOf),
    commands: command.commands.map((each) => outlineOf(each, path)),
    notes: notesOf(command),
  };
}

/** A command and all below it, in the order of the help. */
export function everyCommand(outline: CommandOutline): readonly CommandOutline[] {
  return [outline, ...outline.commands.flatMap(everyCommand)];
}

const argumentOf = (argument: Argument): ArgumentOutline => ({
  name: argument.name(),
  required: argument.required,
  variadic: argument.variadic,
  choices: argument.argChoices,
  summary: argument.description,
});

function optionOf(option: Option): OptionOutline {
  const name = /[<[]([^\]>]+?)(?:\.\.\.)?[\]>]/.exec(option.flags)?.[1];
  const { defaultValue, defaultValueDescription } = option;
  return {
    names: [option.short, option.long].filter((each) => each !== undefined),
    value:
      name === undefined
        ? undefined
        : { name, required: option.required, variadic: option.variadic, choices: option.argChoices },
    summary: option.description,
    otherwise: defaultValueDescription ?? (defaultValue === undefined ? undefined : String(defaultValue)),
  };
}

/** Commander keeps what is added to the help to itself: it is what the whole help has more than its lists. */
function notesOf(command: Command): string {
  const output = command.configureOutput();
  let text = "";
  command.configureOutput({
    ...output,
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  command.configureOutput(output);
  return text.slice(command.helpInformation().length).replace(/^\n+|\s+$/g, "");
}
