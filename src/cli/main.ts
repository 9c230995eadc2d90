#!/usr/bin/env node
/** The `setway` command: hands the process to the command line and its exit code back to the process. */
import { EXIT } from "./exit.ts";
import { runCommandLine } from "./program.ts";
import { processTerminal } from "./terminal.ts";

const code = await runCommandLine(process.argv.slice(2), processTerminal());
process.exitCode = code;
// An interrupted read of standard input would keep the process waiting. Everything has been written by now.
if (code === EXIT.INTERRUPTED) process.exit();
