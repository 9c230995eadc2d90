/** `setway explain`: what a hazard class or a rule of docs/semantics.md means. */
import type { Command } from "commander";
import { SetwayError } from "../engine/errors.ts";
import { HAZARD_CLASSES } from "../engine/hazards.ts";
import { nearestWord } from "../machine/nearest.ts";
import type { Emitted } from "../report/emitted.ts";
import type { ExplainJson } from "../report/published.ts";
import { EXPLAINABLE, HAZARD_TEXTS, RULES } from "../report/rules.ts";
import { styleFor } from "../report/style.ts";
import { wrap } from "../report/table.ts";
import type { Session } from "./program.ts";
import { emitResult, type ResultOptions, withResultOptions } from "./result.ts";

const WIDTH = 96;

export function addExplain(program: Command, session: Session): void {
  withResultOptions(
    program
      .command("explain")
      .description("say what a hazard class or a rule means")
      .argument("<hazard|rule>", "a hazard class such as stale-read, or a rule such as R22"),
  )
    .addHelpText("after", "\nExample:\n  $ setway explain set/way-short-of-poc\n  $ setway explain R22")
    .action(
      session.action(async (word: string, options: ResultOptions) => {
        await emitResult("explain", explanationOf(word), options, session.terminal);
        return 0;
      }),
    );
}

function explanationOf(word: string): Emitted<ExplainJson> {
  const hazard = HAZARD_CLASSES.find(({ name }) => name === word.toLowerCase());
  if (hazard !== undefined) {
    const { cause, remedy } = HAZARD_TEXTS[hazard.name];
    return {
      json: { ...hazard, cause, remedy },
      text: (color) => {
        const style = styleFor(color);
        return [
          `${style.bold(hazard.name)} (${hazard.rule}, ${KINDS[hazard.kind]})`,
          `  ${wrap(`${sentence(hazard.summary)}`, WIDTH, "  ")}`,
          "",
          `  ${style.bold("cause")}   ${wrap(cause, WIDTH - 8, " ".repeat(10))}`,
          `  ${style.bold("remedy")}  ${wrap(remedy, WIDTH - 8, " ".repeat(10))}`,
          `  ${style.bold("needs")}   a trace that recorded ${hazard.needs.join(" and ")} (R48)`,
          "",
        ].join("\n");
      },
    };
  }
  const name = word.toUpperCase();
  const rule = RULES[name];
  if (rule === undefined) {
    throw new SetwayError("usage", "nothing to explain", {
      found: word,
      expected: `a hazard class (${HAZARD_CLASSES.map((each) => each.name).join(", ")}) or a rule from R1 to R${Object.keys(RULES).length}`,
      nearest: nearestWord(word, EXPLAINABLE),
    });
  }
  return {
    json: { rule: name, ...rule },
    text: (color) =>
      [
        `${styleFor(color).bold(`${name} ${rule.title}`)}`,
        `  ${wrap(rule.text, WIDTH, "  ")}`,
        "",
        "  The rule itself: docs/semantics.md",
        "",
      ].join("\n"),
  };
}

const KINDS = {
  observed: "somebody observed a wrong value",
  lost: "a value is gone",
  latent: "nothing has gone wrong yet",
} as const;

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
