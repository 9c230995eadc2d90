/** Lists of processors as Linux and hwloc write them: `0-3,8`, and masks. */

/** As many as any kernel is built for. */
const MAX_CPU = 8192;

/** Ascending and without repeats; undefined where the text is no list. */
export function parseCpuList(text: string): number[] | undefined {
  const cpus = new Set<number>();
  const trimmed = text.trim();
  if (trimmed === "") return [];
  if (trimmed.length > 65_536) return undefined;
  for (const part of trimmed.split(",")) {
    const [, first, last] = /^\s*([0-9]{1,6})(?:-([0-9]{1,6}))?\s*$/.exec(part) ?? [];
    if (first === undefined) return undefined;
    const [from, to] = [Number(first), Number(last ?? first)];
    if (to > MAX_CPU || to < from) return undefined;
    for (let cpu = from; cpu <= to; cpu++) cpus.add(cpu);
  }
  return [...cpus].sort((a, b) => a - b);
}

/** `00000000,0000000f` of sysfs. */
export function parseCpuMask(text: string): number[] | undefined {
  const digits = text.trim().replaceAll(",", "").replace(/^0x/, "");
  if (!/^[0-9a-fA-F]{1,16384}$/.test(digits)) return undefined;
  const cpus: number[] = [];
  for (let index = 0; index < digits.length; index++) {
    const nibble = Number.parseInt(digits[digits.length - 1 - index]!, 16);
    for (let bit = 0; bit < 4; bit++) if (nibble & (1 << bit)) cpus.push(index * 4 + bit);
  }
  return cpus;
}
