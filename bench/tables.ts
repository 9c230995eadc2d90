/** Translation tables for generated streams: real descriptors, in pages that follow each other. */
import { PAGE_BYTES } from "../src/hypervisor/descriptors.ts";
import { TableTree } from "../src/hypervisor/tables.ts";

/** Four levels of tables, given page by page from `first` on; `placed` is told each table before an entry of it is written. */
export function pageTables(
  first: number,
  write: (entry: number, descriptor: bigint) => void,
  placed: (table: number) => void = () => {},
): TableTree {
  let next = first;
  return new TableTree(
    { startLevel: 0, tables: 1 },
    {
      allocate: (pages) => {
        const table = next;
        for (; next < table + pages * PAGE_BYTES; next += PAGE_BYTES) placed(next);
        return table;
      },
      free: () => {},
      write,
      invalidate: () => {},
    },
  );
}
