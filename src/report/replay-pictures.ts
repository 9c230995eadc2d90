/** Pictures of a replay: where its cycles went, which levels missed, which cores paid, and how that changed over time. */
import { HAZARD_CLASSES } from "../engine/hazards.ts";
import { barChart } from "./bar-chart.ts";
import type { IntervalReport } from "./intervals.ts";
import type { ReplayReport } from "./json.ts";
import { lineChart, numberAxis, type Series } from "./line-chart.ts";
import { count, percent } from "./number.ts";
import type { Picture } from "./svg.ts";

export function replayPictures(
  report: ReplayReport,
  intervals: readonly IntervalReport[] | undefined,
): readonly Picture[] {
  const { cycles, levels, hazards, perCore } = report;
  const where = `${report.trace} on ${report.machine}${report.partial ? " (PARTIAL)" : ""}`;
  const pictures = [
    barChart({
      title: "Cycles by cause",
      subtitle: `${where}: ${count(cycles.total)} simulated cycles, latencies as the machine describes them`,
      bars: Object.entries(cycles.byCause)
        .sort(([, a], [, b]) => b - a)
        .map(([label, value]) => ({ label, value, text: `${count(value)} (${percent(value, cycles.total)})` })),
    }),
    barChart({
      title: "Misses by level",
      subtitle: "share of a level's demand accesses that it didn't supply, in percent",
      bars: Object.entries(levels).map(([label, { misses, accesses }]) => ({
        label,
        value: accesses === 0 ? 0 : (100 * misses) / accesses,
        text: `${percent(misses, accesses)} of ${count(accesses)}`,
      })),
      full: 100,
      color: 1,
    }),
  ];
  const found = HAZARD_CLASSES.filter(({ name }) => (hazards[name] ?? 0) > 0);
  if (found.length > 0) {
    pictures.push(
      barChart({
        title: "Hazards",
        subtitle: "occurrences by class",
        bars: found.map(({ name }) => ({ label: name, value: hazards[name] ?? 0, text: count(hazards[name] ?? 0) })),
        color: 3,
      }),
    );
  }
  if (perCore !== undefined) {
    pictures.push(
      barChart({
        title: "Cycles by core",
        subtitle: "simulated cycles of each core",
        bars: perCore.map((core) => ({
          label: `core ${core.core}`,
          value: core.cycles.total,
          text: count(core.cycles.total),
        })),
        color: 2,
      }),
    );
  }
  if (intervals !== undefined && intervals.length > 1) pictures.push(overTime(intervals));
  return pictures;
}

function overTime(intervals: readonly IntervalReport[]): Picture {
  const names = Object.keys(intervals[0]?.levels ?? {});
  const series: readonly Series[] = names.map((label) => ({
    label,
    // Without accesses there is no ratio.
    points: intervals.flatMap(({ from, levels }) => {
      const { misses = 0, accesses = 0 } = levels[label] ?? {};
      return accesses === 0 ? [] : [{ x: from, y: (100 * misses) / accesses }];
    }),
  }));
  const last = intervals.at(-1)?.from ?? 1;
  return lineChart({
    title: "Miss ratio over time",
    subtitle: `${count(intervals.length)} intervals`,
    xTitle: "first record of the interval",
    yTitle: "misses, percent of a level's accesses",
    xAxis: { ...numberAxis([last]), at: (value) => (last === 0 ? 0 : value / last) },
    yAxis: numberAxis([100]),
    series,
  });
}
