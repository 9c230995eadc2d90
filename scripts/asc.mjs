// Compiles targets of a configuration of AssemblyScript's, one after the other in one process: each of its own would warm up
// a compiler anew, which costs a fifth of an optimised kernel.
import { main } from "assemblyscript/asc";

const [config, ...targets] = process.argv.slice(2);
for (const target of targets) {
  const { error } = await main(["--config", config, "--target", target], {
    stdout: process.stderr,
    stderr: process.stderr,
  });
  if (error === null) continue;
  console.error(`setway: ${config}, ${target}: ${error.message}`);
  process.exitCode = 1;
}
