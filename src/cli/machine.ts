/** `setway machine`: which machines there are, what one of them is, and real machines in and out of other tools' forms. */
import { type Command, Option } from "commander";
import { describeMachine, loadDescription, loadMachine, PRESET_NAMES, summarizeMachine } from "../machine/index.ts";
import { coreRegisters } from "../machine/registers.ts";
import type { Emitted } from "../report/emitted.ts";
import type { MachineListJson } from "../report/published.ts";
import { styleFor } from "../report/style.ts";
import { table } from "../report/table.ts";
import { machineFrom } from "./inputs.ts";
import type { Session } from "./program.ts";
import { emitResult, type ResultOptions, withResultOptions } from "./result.ts";
import { standardInputBytes } from "./standard-input.ts";

export function addMachine(program: Command, session: Session): void {
  const machine = program
    .command("machine")
    .description("list machines, show one with its registers, import a real one, or export one")
    .addHelpText(
      "after",
      "\nExample:\n  $ setway machine show seattle\n  $ setway machine import /sys/firmware/fdt > my-board.yaml",
    );
  withResultOptions(machine.command("list").description("all machines that come with setway"))
    .addHelpText("after", "\nExample:\n  $ setway machine list --json")
    .action(
      session.action(async (options: ResultOptions) => {
        await emitResult("machine list", machineList(), options, session.terminal);
        return 0;
      }),
    );
  withResultOptions(
    machine
      .command("show")
      .description("caches, registers, latencies and where the numbers come from")
      .argument("<machine>", "a machine's name, or a file with a description in YAML or JSON, or -"),
  )
    .addHelpText("after", "\nExample:\n  $ setway machine show ./my-board.yaml")
    .action(
      session.action(async (source: string, options: ResultOptions) => {
        const { description, machine: resolved } = await machineFrom(source);
        const { clidr, ctr, dczid, ccsidrs } = coreRegisters(resolved, 0);
        const registers = {
          clidr: hex(clidr),
          ctr: hex(ctr),
          dczid: hex(dczid),
          ccsidr: ccsidrs.map(({ level, instruction, csselr, value }) => ({
            level,
            instruction,
            csselr: hex(BigInt(csselr)),
            value: hex(value),
          })),
        };
        await emitResult(
          "machine show",
          {
            json: { description, registersOfCore0: registers },
            text: (color) => {
              const [title = "", ...rest] = describeMachine(description);
              return `${[styleFor(color).bold(title), ...rest].join("\n")}\n`;
            },
          },
          options,
          session.terminal,
        );
        return 0;
      }),
    );
  addImport(machine, session);
  addExport(machine, session);
}

interface ImportCommandOptions extends ResultOptions {
  readonly name?: string;
}

/** The readers are loaded when they are asked for. */
function addImport(machine: Command, session: Session): void {
  withResultOptions(
    machine
      .command("import")
      .description("describe a real machine: what was read and what was assumed stands in comments")
      .argument(
        "<file...>",
        "device tree, ACPI tables, /sys/devices/system, lscpu -J, lscpu -C -J, hwloc XML or drcachesim configuration; a file, folder or tar, or -",
      )
      .option("--name <name>", "what to call the machine"),
  )
    .addHelpText(
      "after",
      `
Example:
  $ setway machine import /sys/devices/system/cpu /sys/devices/system/node
  $ setway machine import /sys/firmware/fdt > my-board.yaml
  $ sudo setway machine import /sys/firmware/acpi/tables`,
    )
    .action(
      session.action(async (paths: string[], options: ImportCommandOptions) => {
        const [{ importMachine, importedText }, { inputFiles }] = await Promise.all([
          import("../machine/import/index.ts"),
          import("../machine/import/files.node.ts"),
        ]);
        const imported = importMachine(await inputFiles(paths, standardInputBytes), { name: options.name });
        const { description, format, files, read, assumed, left } = imported;
        const emitted = {
          json: { description, format, files, read, assumed, left },
          text: () => importedText(imported),
        };
        await emitResult("machine import", emitted, options, session.terminal);
        return 0;
      }),
    );
}

const EXPORT_FORMATS = ["drcachesim", "dts"] as const;

function addExport(machine: Command, session: Session): void {
  withResultOptions(
    machine
      .command("export")
      .description("write a machine in another tool's form")
      .argument("<machine>", "a machine's name, or a file with a description in YAML or JSON, or -")
      .addOption(new Option("--to <format>", "which form").choices(EXPORT_FORMATS).makeOptionMandatory()),
  )
    .addHelpText(
      "after",
      "\nExample:\n  $ setway machine export altra-2s --to drcachesim\n  $ setway machine export juno --to dts",
    )
    .action(
      session.action(async (source: string, options: ResultOptions & { to: (typeof EXPORT_FORMATS)[number] }) => {
        const { machine: resolved } = await machineFrom(source);
        const { exportMachine } = await import("../machine/export/index.ts");
        const text = exportMachine(resolved, options.to);
        await emitResult(
          "machine export",
          { json: { machine: resolved.name, format: options.to, text }, text: () => text },
          options,
          session.terminal,
        );
        return 0;
      }),
    );
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** Every preset with what it is in one line. */
export function machineList(): Emitted<MachineListJson> {
  const machines = PRESET_NAMES.map((name) => {
    const { description } = loadDescription(name);
    return { name, about: description.about ?? "", summary: summarizeMachine(loadMachine(name)) };
  });
  return {
    json: { machines },
    text: (color) => {
      const style = styleFor(color);
      const rows = machines.map(({ name, about }) => [style.bold(name), about]);
      return `${table([{ title: "machine" }, { title: "what it is" }], rows, style)}\n`;
    },
  };
}
