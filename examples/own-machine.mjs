// A machine of one's own, and what its software will read in CLIDR_EL1: the L3 isn't listed, so set/way won't reach it.
import { coreRegisters, loadMachine } from "setway/machine";

const caches = { L1I: "32KiB", L1D: "32KiB", L2: "1MiB", L3: "8MiB" };
const described = Object.entries(caches).map(([level, size]) => `  ${level}: { size: ${size}, ways: 4 }`);
const machine = loadMachine(`name: my-board\ncores: 2\ncaches:\n${described.join("\n")}\n`);
console.log(`CLIDR_EL1 of ${machine.name}: 0x${coreRegisters(machine, 0).clidr.toString(16)}`);
