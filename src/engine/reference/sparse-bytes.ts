/** Bytes of a 48-bit address space: an untouched page costs nothing and reads as zero (R2). */
import { type Range, split } from "./ranges.ts";

const PAGE_BYTES = 4096;

export class SparseBytes {
  private readonly pages = new Map<number, Uint8Array>();

  read(range: Range): Uint8Array {
    const start = range.address % PAGE_BYTES;
    const page = start + range.sizeBytes <= PAGE_BYTES && this.pages.get(Math.floor(range.address / PAGE_BYTES));
    if (page) return page.slice(start, start + range.sizeBytes);
    const bytes = new Uint8Array(range.sizeBytes);
    for (const part of split(range, PAGE_BYTES)) {
      const page = this.pages.get(Math.floor(part.address / PAGE_BYTES));
      const offset = part.address % PAGE_BYTES;
      if (page) bytes.set(page.subarray(offset, offset + part.sizeBytes), part.address - range.address);
    }
    return bytes;
  }

  write(address: number, bytes: Uint8Array): void {
    for (const part of split({ address, sizeBytes: bytes.length }, PAGE_BYTES)) {
      const index = Math.floor(part.address / PAGE_BYTES);
      let page = this.pages.get(index);
      if (!page) {
        page = new Uint8Array(PAGE_BYTES);
        this.pages.set(index, page);
      }
      const start = part.address - address;
      page.set(bytes.subarray(start, start + part.sizeBytes), part.address % PAGE_BYTES);
    }
  }
}
