// Threads that many commands start: all that one imports of ours in one file, because a thread reads and compiles its modules anew.
import { build } from "esbuild";

const THREADS = ["trace/decoder-thread.node.js"];

/** Bundles the threads of a compiled package at `folder`, in their places. */
export async function bundleThreads(folder) {
  await build({
    entryPoints: THREADS,
    outdir: folder,
    outbase: folder,
    allowOverwrite: true,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    target: "es2022",
    // Paths in comments begin here: two builds of the same sources are the same.
    absWorkingDir: folder,
    // The repository's own settings are about src/.
    tsconfigRaw: {},
    logLevel: "warning",
  });
}
