/** Where a thread's code lies. */
import { fileURLToPath } from "node:url";

/** Path of a module beside `importer`, for a thread. Threads run compiled code: a checkout's sources use what was built of them. */
export function threadFile(importer: string, name: string): string {
  const built = importer.endsWith(".ts") ? importer.replace(/\/src\/(?!.*\/src\/)/, "/dist/") : importer;
  return fileURLToPath(new URL(name, built));
}
