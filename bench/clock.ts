/** The clock that everything here is measured with: CPU time of the playing thread, because machines are shared. */
import { existsSync, readFileSync } from "node:fs";

/** Of the process's first thread alone: nanoseconds on a CPU, then two numbers that don't matter here. */
const SCHEDSTAT = "/proc/self/schedstat";

type ThreadCpuUsage = () => { readonly user: number; readonly system: number };

/**
 * Milliseconds of CPU time of this thread. Node 23.9 and Linux can tell; elsewhere it is the whole process's, which has V8's
 * compiling threads in it as well.
 */
export const cpuMilliseconds: () => number = chooseClock();

function chooseClock(): () => number {
  const { threadCpuUsage } = process as unknown as { readonly threadCpuUsage?: ThreadCpuUsage };
  if (threadCpuUsage !== undefined) return () => milliseconds(threadCpuUsage.call(process));
  if (existsSync(SCHEDSTAT)) return () => Number.parseInt(readFileSync(SCHEDSTAT, "latin1"), 10) / 1e6;
  return () => milliseconds(process.cpuUsage());
}

const milliseconds = ({ user, system }: ReturnType<ThreadCpuUsage>): number => (user + system) / 1000;
