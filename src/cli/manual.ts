/** The manual page, in the man macros of roff: the same tree of commands as the help, and what belongs to all of them. */
import { EXIT } from "./exit.ts";
import { type CommandOutline, everyCommand, type OptionOutline } from "./outline.ts";
import { programOutline } from "./program.ts";
import { VERSION } from "./version.ts";

/** The text of `setway.1`. The same source gives the same bytes: there is no date. */
export async function manualPage(): Promise<string> {
  const program = await programOutline();
  const commands = everyCommand(program).slice(1);
  const lines = [
    `.\\" made by setway ${VERSION} from its own commands; do not edit`,
    `.TH SETWAY 1 "" "setway ${VERSION}" "User Commands"`,
    ".SH NAME",
    `setway \\- ${escaped(program.summary.replace(/\.$/, "").replace(/^S/, "s"))}`,
    ".SH SYNOPSIS",
    ...program.commands.flatMap((command) => [".br", usageOf(command)]),
    ".SH DESCRIPTION",
    ...paragraph(
      "setway plays memory accesses, cache maintenance and DMA on a described Arm machine, with every cached byte modelled, and says which reads go stale, why, and what would have made them right.",
    ),
    ".SH COMMANDS",
    ...commands.flatMap((command) => sectionOf(command, parentOf(command, program))),
    ".SH EXIT STATUS",
    ...Object.entries(EXIT_TEXTS).flatMap(([code, text]) => term(code, text)),
    ".SH ENVIRONMENT",
    ...term("NO_COLOR", "Set to anything but nothing: no colour, also on a terminal."),
    ...term("TERM", "No colour if it is dumb."),
    ".SH SEE ALSO",
    ...paragraph(
      "The folder docs of the package: a tutorial, the rules, the hazards, machines, formats of traces, limits.",
    ),
  ];
  return `${lines.join("\n")}\n`;
}

const EXIT_TEXTS: Readonly<Record<number, string>> = {
  [EXIT.OK]: "It ran.",
  [EXIT.EXPECTATION]: "It ran, and an expectation failed: a story's own, --expect-clean, --strict, a warning of lint.",
  [EXIT.USAGE]: "Usage, or the description of a machine.",
  [EXIT.TRACE]: "A trace that can't be read, or a record that can't be played.",
  [EXIT.INTERNAL]: "An error of setway itself.",
  [EXIT.INTERRUPTED]: "Interrupted; what there was by then has been printed.",
};

function parentOf({ path }: CommandOutline, program: CommandOutline): CommandOutline | undefined {
  const above = path.slice(0, -1).join(" ");
  return everyCommand(program).find((each) => each.path.join(" ") === above);
}

function sectionOf(command: CommandOutline, parent: CommandOutline | undefined): string[] {
  const taken = command.options.filter(({ names }) => !names.includes("--help"));
  const inherited = inheritedBy(taken, parent);
  const own = taken.filter((option) => !inherited?.keys.has(keyOf(option)));
  return [
    `.SS "${command.path.join(" ")}"`,
    ...paragraph(sentence(command.summary)),
    ".PP",
    usageOf(command),
    ...command.arguments.flatMap(({ name, summary }) => (summary === "" ? [] : term(`<${name}>`, sentence(summary)))),
    ...own.flatMap((option) => term(formOf(option), `${sentence(option.summary)}${defaultOf(option)}`)),
    ...(inherited === undefined ? [] : [".PP", `${own.length > 0 ? "And the" : "The"} ${inherited.sentence}`]),
    ...(command.notes === "" ? [] : [".PP", ".nf", ...command.notes.split("\n").map(verbatim), ".fi"]),
  ];
}

/** The options that a command has from the one above it, where all but one are the same: a manual says them once. */
function inheritedBy(
  taken: readonly OptionOutline[],
  parent: CommandOutline | undefined,
): { readonly keys: ReadonlySet<string>; readonly sentence: string } | undefined {
  if (parent === undefined || parent.path.length < 2) return undefined;
  const own = new Set(taken.map(keyOf));
  const above = parent.options.filter(({ names }) => !names.includes("--help"));
  const missing = above.filter((option) => !own.has(keyOf(option)));
  if (above.length < 2 || missing.length > 1) return undefined;
  const but = missing.map(({ names }) => ` but ${bold(names.at(-1) as string)}`).join("");
  return { keys: new Set(above.map(keyOf)), sentence: `options of ${bold(parent.path.join(" "))}${but}.` };
}

const keyOf = (option: OptionOutline): string => JSON.stringify(option);

const usageOf = ({ path, usage }: CommandOutline): string => `${bold(path.join(" "))} ${escaped(usage)}`;

const formOf = ({ names, value }: OptionOutline): string =>
  `${names.join(", ")}${value === undefined ? "" : ` <${value.name}>`}`;

const defaultOf = ({ otherwise }: OptionOutline): string => (otherwise === undefined ? "" : ` Default: ${otherwise}.`);

const sentence = (text: string): string =>
  text === "" ? "" : `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`;

const term = (word: string, text: string): string[] => [".TP", bold(word), verbatim(text)];

const paragraph = (text: string): string[] => [".PP", verbatim(text)];

const bold = (text: string): string => `\\fB${escaped(text)}\\fR`;

/** A line that roff prints as it is: nothing at its beginning is taken for a request. */
const verbatim = (line: string): string => (/^[.']/.test(line) ? `\\&${escaped(line)}` : escaped(line));

/** Characters that roff takes for its own, or prints as others in UTF-8. */
const escaped = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti");
