/** A device tree in memory, whichever form it was read from, and its properties' values as the specification encodes them. */
import { latin1 } from "./byte-reader.ts";

export interface DeviceTreeNode {
  /** With the unit address, `cpu@0`; empty for the root. */
  readonly name: string;
  readonly parent: DeviceTreeNode | undefined;
  readonly properties: Map<string, Uint8Array>;
  readonly children: DeviceTreeNode[];
}

/** Nodes nest this deep at most; real trees reach about ten. */
export const MAX_DEPTH = 64;
/** Ten times what the largest real tree has; together they bound what a file made to exhaust memory can cost. */
export const MAX_NODES = 200_000;
export const MAX_PROPERTIES = 2_000_000;

export function newNode(name: string, parent: DeviceTreeNode | undefined): DeviceTreeNode {
  return { name, parent, properties: new Map(), children: [] };
}

export function pathOf(node: DeviceTreeNode): string {
  const names: string[] = [];
  for (let at: DeviceTreeNode | undefined = node; at?.parent !== undefined; at = at.parent) names.unshift(at.name);
  return `/${names.join("/")}`;
}

export function* walk(node: DeviceTreeNode): Generator<DeviceTreeNode, void, undefined> {
  yield node;
  for (const child of node.children) yield* walk(child);
}

/** The name without the unit address: `ethernet` of `ethernet@1e000`. */
export const baseName = (node: DeviceTreeNode): string => node.name.split("@")[0] ?? "";

export const child = (node: DeviceTreeNode, name: string): DeviceTreeNode | undefined =>
  node.children.find((candidate) => candidate.name === name);

export function cells(node: DeviceTreeNode, property: string): number[] | undefined {
  const bytes = node.properties.get(property);
  if (bytes === undefined || bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(index * 4));
}

/** A property of one cell, or of one 64-bit number that fits. */
export function cell(node: DeviceTreeNode, property: string): number | undefined {
  const values = cells(node, property);
  return values === undefined ? undefined : values.length === 2 && values[0] === 0 ? values[1] : values[0];
}

export function strings(node: DeviceTreeNode, property: string): string[] {
  const bytes = node.properties.get(property);
  if (bytes === undefined || bytes.length > 4096) return [];
  const parts = latin1(bytes).split("\0");
  if (parts.at(-1) === "") parts.pop();
  return parts;
}

export const text = (node: DeviceTreeNode, property: string): string | undefined => strings(node, property)[0];

/** Not disabled: `status` is absent, or ok. */
export function isEnabled(node: DeviceTreeNode): boolean {
  const status = text(node, "status");
  return status === undefined || status === "okay" || status === "ok";
}

/** Every node by phandle. */
export function phandles(root: DeviceTreeNode): Map<number, DeviceTreeNode> {
  const nodes = new Map<number, DeviceTreeNode>();
  for (const node of walk(root)) {
    const phandle = cell(node, "phandle") ?? cell(node, "linux,phandle");
    if (phandle !== undefined) nodes.set(phandle, node);
  }
  return nodes;
}

/** `reg` in pairs of address and length; numbers beyond 2^53 are left out. */
export function regions(node: DeviceTreeNode): { base: number; size: number }[] {
  const addressCells = cell(node.parent ?? node, "#address-cells") ?? 2;
  const sizeCells = cell(node.parent ?? node, "#size-cells") ?? 1;
  const values = cells(node, "reg") ?? [];
  if (addressCells < 1 || addressCells > 4 || sizeCells < 1 || sizeCells > 4) return [];
  const number = (from: number, count: number) =>
    values.slice(from, from + count).reduce((total, value) => total * 2 ** 32 + value, 0);
  const found: { base: number; size: number }[] = [];
  for (let at = 0; at + addressCells + sizeCells <= values.length; at += addressCells + sizeCells) {
    const [base, size] = [number(at, addressCells), number(at + addressCells, sizeCells)];
    if (Number.isSafeInteger(base) && Number.isSafeInteger(size)) found.push({ base, size });
  }
  return found;
}
