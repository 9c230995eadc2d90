/** The text that `acpidump` prints: tables as hexadecimal dumps, each under `NAME @ 0xADDRESS`. */
import { MachineError } from "../../engine/errors.ts";

const TITLE = /^([A-Z][A-Z0-9]{3}) @ 0x[0-9A-Fa-f]+\s*$/;
const ROW = /^\s*[0-9A-Fa-f]{4,8}:((?:[ ][0-9A-Fa-f]{2}){1,16})(?:\s|$)/;

export const isAcpidump = (text: string): boolean => text.split("\n", 200).some((line) => TITLE.test(line));

/** The bytes of all tables, one after another. */
export function bytesOfAcpidump(file: string, text: string): Uint8Array {
  const bytes: number[] = [];
  let inTable = false;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    if (TITLE.test(line)) {
      inTable = true;
      continue;
    }
    const row = ROW.exec(line);
    if (row === null || !inTable) {
      throw new MachineError("not a row of acpidump", {
        file,
        line: index + 1,
        found: JSON.stringify(line.slice(0, 40)),
        expected: "`0000: 50 50 54 54 ...`",
      });
    }
    for (const pair of row[1]!.trim().split(" ")) bytes.push(Number.parseInt(pair, 16));
  }
  return Uint8Array.from(bytes);
}
