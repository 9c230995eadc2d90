/** The package's version, from the package.json that lies two folders above both src/cli and dist/cli. */
import { readFileSync } from "node:fs";

const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

export const VERSION = String((manifest as { version: string }).version);
