/**
 * Do both engines combine memory attributes as the architecture does? Every row of the two tables that were computed from the
 * architecture's own pseudocode (D42, D43).
 */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as kernel from "../../src/engine/attributes.ts";
import * as reference from "../../src/engine/reference/memory-attributes.ts";

const DATA = new URL("../../../shared/data/", import.meta.url);
const SHAREABILITY: Readonly<Record<string, number>> = { NSH: 0, OSH: 2, ISH: 3, "-": 0 };

type Row = Readonly<Record<string, string>>;

/** Rows of a table by the names of its columns; none where the data isn't beside the repository. */
function rowsOf(name: string): Row[] {
  const file = new URL(name, DATA);
  if (!existsSync(file)) return [];
  const [head = "", ...lines] = readFileSync(file, "utf8").trimEnd().split("\n");
  const names = head.split("\t");
  return lines.map((line) => Object.fromEntries(line.split("\t").map((value, i) => [names[i], value])));
}

const isFetch = (row: Row) => row.access !== "data";
const on = (bit: string | undefined) => bit === "1";
const byte = (text: string | undefined) => (text === "-" ? 0 : Number(text));
const sh = (text: string | undefined) => SHAREABILITY[text ?? "-"] as number;
const said = (row: Row) => ({ attr: byte(row.attr), sh: sh(row.sh) });

const combined = rowsOf("s1s2_class.tsv");
const effective = rowsOf("s1_effective.tsv");

describe.each([
  ["kernel", kernel],
  ["reference", reference],
] as const)("%s", (_name, engine) => {
  test.skipIf(combined.length === 0)("stage 1 and stage 2 combine as the table says, reserved encodings aside", () => {
    const wrong = combined.filter((row) => {
      const { reserved, ...result } = engine.combineAttributes({
        fetch: isFetch(row),
        s1Attr: byte(row.s1_attr),
        s1Sh: sh(row.s1_sh),
        s2MemAttr: byte(row.s2_memattr),
        s2Sh: sh(row.s2_sh),
        fwb: on(row.fwb),
        cd: on(row.hcr_cd),
        id: on(row.hcr_id),
      });
      const wanted = said(row);
      if (row.status?.startsWith("reserved")) return !reserved;
      return reserved || result.attr !== wanted.attr || result.sh !== wanted.sh;
    });
    expect(wrong).toEqual([]);
  });

  test.skipIf(effective.length === 0)("stage 1 in effect is as the table says", () => {
    const wrong = effective.filter((row) => {
      const { attr, sh: shareability } = engine.stageOneAttributes({
        fetch: isFetch(row),
        m: on(row.sctlr_m),
        c: on(row.sctlr_c),
        i: on(row.sctlr_i),
        dc: on(row.hcr_dc),
        tge: on(row.hcr_tge),
        s2On: on(row.s2_on),
        attr: byte(row.desc_attr),
        sh: sh(row.desc_sh),
      });
      const wanted = said(row);
      return attr !== wanted.attr || shareability !== wanted.sh;
    });
    expect(wrong).toEqual([]);
  });
});
