/** `setway machine`: which machines there are, and what one of them is. */
import type { Command } from "commander";
import { describeMachine, loadDescription, loadMachine, PRESET_NAMES, summarizeMachine } from "../machine/index.ts";
import { coreRegisters } from "../machine/registers.ts";
import type { Emitted } from "../report/emitted.ts";
import { styleFor } from "../report/style.ts";
import { table } from "../report/table.ts";
import { machineFrom } from "./inputs.ts";
import type { Session } from "./program.ts";
import { emitResult, type ResultOptions, withResultOptions } from "./result.ts";

export function addMachine(program: Command, session: Session): void {
  const machine = program
    .command("machine")
    .description("list machines, or show one with its registers")
    .addHelpText("after", "\nExample:\n  $ setway machine list\n  $ setway machine show seattle");
  withResultOptions(machine.command("list").description("all machines that come with setway"))
    .addHelpText("after", "\nExample:\n  $ setway machine list --json")
    .action(
      session.action(async (options: ResultOptions) => {
        await emitResult(machineList(), options, session.terminal);
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
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** Every preset with what it is in one line. */
export function machineList(): Emitted {
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
