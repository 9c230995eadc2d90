/**
 * Typed arrays of the same kind and bytes are equal at once: vitest asks for each of their elements by name, which took most of
 * the time of tests that compare traces. All others it compares itself, and says how they differ. Once a process: see vitest.config.ts.
 */
import { expect } from "vitest";

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => Buffer.from(buffer, byteOffset, byteLength);

expect.addEqualityTesters([
  (one: unknown, other: unknown) => {
    if (!ArrayBuffer.isView(one) || !ArrayBuffer.isView(other)) return undefined;
    return one.constructor === other.constructor && bytesOf(one).equals(bytesOf(other)) ? true : undefined;
  },
]);
