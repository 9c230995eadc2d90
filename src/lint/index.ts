/**
 * `setway lint`: reads a guest's definition and names what goes wrong with caches, each with its remedy. A libvirt domain, a
 * QEMU command line, or the device tree that a guest is given; recognised by content.
 */
import { MachineError } from "../engine/errors.ts";
import { isDeviceTreeBlob, readDeviceTreeBlob } from "../machine/import/dtb.ts";
import { isDeviceTreeSource, readDeviceTreeSource } from "../machine/import/dts.ts";
import { isXml, readXml } from "../machine/import/xml.ts";
import { lintDeviceTree } from "./device-tree.ts";
import type { Finding } from "./finding.ts";
import type { Guest } from "./guest.ts";
import { guestOfDomain } from "./libvirt.ts";
import { guestOfCommandLine } from "./qemu.ts";
import { type HostFacts, lintGuest } from "./rules.ts";

export type { Finding } from "./finding.ts";

const MAX_BYTES = 4 * 2 ** 20;

export interface LintResult {
  readonly file: string;
  /** What the file was taken for. */
  readonly kind: "libvirt domain" | "QEMU command line" | "device tree";
  readonly guest: Guest | undefined;
  readonly findings: readonly Finding[];
}

/** Throws `MachineError` with file and line where the content is none of these. */
export function lint(file: string, bytes: Uint8Array, host: HostFacts): LintResult {
  if (bytes.length > MAX_BYTES) {
    throw new MachineError("too much to read", {
      file,
      found: `${bytes.length} bytes`,
      expected: `${MAX_BYTES} at most`,
    });
  }
  if (isDeviceTreeBlob(bytes)) {
    return treeResult(file, lintDeviceTree(file, readDeviceTreeBlob(file, bytes), host.fwb));
  }
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === "") {
    throw new MachineError("nothing to lint", {
      file,
      found: "an empty file",
      expected: "a libvirt domain in XML, a QEMU command line, or a guest's device tree",
    });
  }
  if (isDeviceTreeSource(text))
    return treeResult(file, lintDeviceTree(file, readDeviceTreeSource(file, text), host.fwb));
  if (isXml(text)) {
    const guest = guestOfDomain(file, readXml(file, text));
    return { file, kind: "libvirt domain", guest, findings: lintGuest(guest, host) };
  }
  const guest = guestOfCommandLine(file, text);
  return { file, kind: "QEMU command line", guest, findings: lintGuest(guest, host) };
}

const treeResult = (file: string, findings: readonly Finding[]): LintResult => ({
  file,
  kind: "device tree",
  guest: undefined,
  findings,
});
