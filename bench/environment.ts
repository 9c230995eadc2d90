/** On what a bench ran: without that its numbers say nothing. */
import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, totalmem } from "node:os";

export interface Environment {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
  readonly v8: string;
  /** Of the working tree; undefined outside a repository. */
  readonly commit: string | undefined;
  /** Whether the tree differs from the commit. */
  readonly modified: boolean;
  readonly date: string;
}

export function environment(): Environment {
  const commit = git("rev-parse", "HEAD");
  return {
    cpu: cpus()[0]?.model.trim() || "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    v8: process.versions.v8,
    commit,
    modified: commit !== undefined && git("status", "--porcelain") !== "",
    date: new Date().toISOString(),
  };
}

function git(...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync("git", args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
