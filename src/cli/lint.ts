/** `setway lint`: what a guest's definition will do to caches, before it does. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { MachineError } from "../engine/errors.ts";
import type { Finding, LintResult } from "../lint/index.ts";
import type { Emitted } from "../report/emitted.ts";
import type { LintJson } from "../report/published.ts";
import { styleFor } from "../report/style.ts";
import { wrap } from "../report/table.ts";
import { EXIT } from "./exit.ts";
import type { Session } from "./program.ts";
import { emitResult, type ResultOptions, withResultOptions } from "./result.ts";
import { standardInputBytes } from "./standard-input.ts";

const WIDTH = 96;

interface LintOptions extends ResultOptions {
  readonly fwb?: boolean;
}

export function addLint(program: Command, session: Session): void {
  withResultOptions(
    program
      .command("lint")
      .description("read a guest's definition and name what goes wrong with caches")
      .argument("<file>", "a libvirt domain in XML, a QEMU command line, or a guest's device tree; - is standard input")
      .option("--fwb", "the hosts' cores have FEAT_S2FWB (Armv8.4 and later)"),
  )
    .addHelpText(
      "after",
      `
Exit codes: 0 nothing to warn of, 1 warnings, 2 usage or a file that can't be understood.

Example:
  $ virsh dumpxml my-guest | setway lint -
  $ setway lint start-guest.sh --fwb`,
    )
    .action(
      session.action(async (path: string, options: LintOptions) => {
        const { lint } = await import("../lint/index.ts");
        const host = { fwb: options.fwb === true };
        const file = path === "-" ? "standard input" : path;
        const bytes = path === "-" ? await standardInputBytes() : await contentOf(path);
        const result = await withOwnTree(lint(file, bytes, host), path, (name, tree) => lint(name, tree, host));
        await emitResult("lint", emittedFor(result), options, session.terminal);
        return result.findings.some(({ severity }) => severity === "warning") ? EXIT.EXPECTATION : EXIT.OK;
      }),
    );
}

async function contentOf(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: Error) => {
    throw new MachineError("can't read", { file: path, found: cause.message, expected: "a file", cause });
  });
}

/** A device tree that the guest is given is looked at itself, where it is at hand; then there is nothing to suspect. */
async function withOwnTree(
  result: LintResult,
  path: string,
  lintTree: (name: string, bytes: Uint8Array) => LintResult,
): Promise<LintResult> {
  const tree = result.guest?.deviceTree;
  if (tree === undefined || tree.value === "") return result;
  const name = resolve(path === "-" ? "." : dirname(path), tree.value);
  const bytes = await readFile(name).catch(() => undefined);
  if (bytes === undefined) return result;
  const inTree = lintTree(tree.value, bytes);
  if (inTree.kind !== "device tree") return result;
  const others = result.findings.filter(({ check }) => check !== "own-device-tree");
  return { ...result, findings: [...inTree.findings, ...others] };
}

function emittedFor({ file, kind, guest, findings }: LintResult): Emitted<LintJson> {
  const warnings = findings.filter(({ severity }) => severity === "warning").length;
  const notes = findings.length - warnings;
  const about =
    guest === undefined
      ? undefined
      : {
          architecture: guest.architecture,
          accelerator: guest.accelerator,
          machine: guest.machine?.value,
          cpu: guest.cpu?.value,
        };
  return {
    json: { file, kind, guest: about, warnings, notes, findings },
    text: (color) => {
      const style = styleFor(color);
      const block = ({ check, severity, file: where, line, found, why, remedy }: Finding) => {
        const place = line === undefined ? where : `${where}:${line}`;
        const word = severity === "warning" ? style.yellow("warning") : style.dim("note");
        return [
          `${place}: ${word}: ${style.bold(check)}: ${found}`,
          `  why     ${wrap(why, WIDTH - 10, " ".repeat(10))}`,
          `  remedy  ${wrap(remedy, WIDTH - 10, " ".repeat(10))}`,
          "",
        ].join("\n");
      };
      const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
      const sum =
        findings.length === 0 ? "nothing to warn of" : `${counted(warnings, "warning")}, ${counted(notes, "note")}`;
      return `${findings.map(block).join("\n")}${findings.length === 0 ? "" : "\n"}${file} (${kind}): ${sum}\n`;
    },
  };
}
