/** Device tree blobs (Devicetree Specification 0.4, chapter 5): the flattened tree that firmware hands to a kernel. */
import { ByteReader } from "./byte-reader.ts";
import { type DeviceTreeNode, MAX_DEPTH, MAX_NODES, MAX_PROPERTIES, newNode } from "./device-tree.ts";

const MAGIC = 0xd00dfeed;
const OLDEST_VERSION = 16;
const TOKEN = { BEGIN_NODE: 1, END_NODE: 2, PROPERTY: 3, NOP: 4, END: 9 } as const;

export const isDeviceTreeBlob = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) === MAGIC;

/** The tree's root. Throws `MachineError` with the byte where it isn't well formed. */
export function readDeviceTreeBlob(name: string, bytes: Uint8Array): DeviceTreeNode {
  const header: ByteReader = new ByteReader(name, bytes, { littleEndian: false });
  const total = header.u32(4, "the header");
  if (total > bytes.length) header.fail(4, "the blob is cut off", `${total} bytes`, `${bytes.length}`);
  const structOffset = header.u32(8, "the header");
  const stringsOffset = header.u32(12, "the header");
  const version = header.u32(20, "the header");
  const oldestCompatible = header.u32(24, "the header");
  if (version < OLDEST_VERSION || oldestCompatible > 17) {
    header.fail(20, "a version of the format that nobody writes", "16 or 17", `${version}`);
  }
  const reader: ByteReader = new ByteReader(name, bytes.subarray(0, total), { littleEndian: false });
  const structEnd = version >= 17 ? structOffset + header.u32(36, "the header") : total;
  reader.need(structOffset, structEnd - structOffset, "the structure block");
  reader.need(stringsOffset, 0, "the strings block");

  const names = new Map<number, string>();
  const propertyName = (offset: number): string => {
    let known = names.get(offset);
    if (known === undefined) {
      known = reader.text(stringsOffset + offset, total, "a property's name");
      names.set(offset, known);
    }
    return known;
  };

  let root: DeviceTreeNode | undefined;
  let node: DeviceTreeNode | undefined;
  let depth = 0;
  let nodes = 0;
  let properties = 0;
  let at = structOffset;
  for (;;) {
    if (at + 4 > structEnd) reader.fail(at, "the structure block doesn't end", "the end token 9");
    const token = reader.u32(at, "a token");
    at += 4;
    if (token === TOKEN.NOP) continue;
    if (token === TOKEN.BEGIN_NODE) {
      const begin = at;
      const nodeName = reader.text(at, structEnd, "a node's name");
      at = aligned(at + nodeName.length + 1);
      if (node === undefined && root !== undefined) reader.fail(begin, "a second root node");
      if (++depth > MAX_DEPTH) reader.fail(begin, `nodes nest deeper than ${MAX_DEPTH}`);
      if (++nodes > MAX_NODES) reader.fail(begin, `more than ${MAX_NODES} nodes`);
      const begun: DeviceTreeNode = newNode(nodeName, node);
      if (node === undefined) root = begun;
      else node.children.push(begun);
      node = begun;
    } else if (token === TOKEN.PROPERTY) {
      const length = reader.u32(at, "a property");
      const property = propertyName(reader.u32(at + 4, "a property"));
      if (node === undefined) reader.fail(at, "a property outside the tree");
      if (++properties > MAX_PROPERTIES) reader.fail(at, `more than ${MAX_PROPERTIES} properties`);
      if (at + 8 + length > structEnd) {
        reader.fail(at, `the value of ${property} lies outside the structure block`, undefined, `${length} bytes`);
      }
      node.properties.set(property, reader.slice(at + 8, length, "a property's value"));
      at = aligned(at + 8 + length);
    } else if (token === TOKEN.END_NODE) {
      if (node === undefined) reader.fail(at - 4, "a node ends that didn't begin");
      node = node.parent;
      depth--;
    } else if (token === TOKEN.END) {
      if (root === undefined || node !== undefined) reader.fail(at - 4, "the tree ends in the middle of a node");
      return root;
    } else {
      reader.fail(at - 4, "no such token", "1, 2, 3, 4 or 9", `${token}`);
    }
  }
}

const aligned = (offset: number): number => Math.ceil(offset / 4) * 4;
