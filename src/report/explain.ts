/**
 * A hazard in plain English (R30): who wrote the newest value, where it was, which path the observer took, how it was
 * lost, and which operation between the two would have made it right. Built from the hazard and the machine alone.
 */
import type { Hazard, Place } from "../engine/engine.ts";
import { HAZARD_CLASSES } from "../engine/hazards.ts";
import { ATTRIBUTES } from "../engine/operations.ts";
import type { Cache, ResolvedMachine } from "../machine/resolved.ts";
import { address, count, counted, ranges, word } from "./number.ts";

/** What a record did, in words, if somebody can look it up; undefined where not. */
export type OperationAt = (record: number) => string | undefined;

/** What a record is called: `record 1,234` where nobody knows better. */
export type NameOf = (record: number) => string;

const byNumber: NameOf = (record) => `record ${count(record)}`;

/** One sentence for each question that has an answer. */
export interface Explanation {
  readonly what: string;
  /** Who wrote the newest value, when, and with which attributes. */
  readonly written?: string;
  /** What the observer saw, and what it should have seen. */
  readonly seen?: string;
  /** Where the newest value was at that moment. */
  readonly where?: string;
  /** Which way the observer took, and why that missed the newest value. */
  readonly path?: string;
  /** How the value was lost. */
  readonly loss?: string;
  /** What would have made it right. */
  readonly remedy: string;
}

/** Explains one hazard. `operationAt` adds the operations behind record numbers, `nameOf` gives records other names. */
export function explainHazard(
  hazard: Hazard,
  machine: ResolvedMachine,
  operationAt: OperationAt = () => undefined,
  nameOf: NameOf = byNumber,
): Explanation {
  const teller = new Teller(hazard, machine, operationAt, nameOf);
  const kind = HAZARD_CLASSES.find(({ name }) => name === hazard.class)?.kind;
  if (kind === "observed") return teller.observed();
  if (kind === "lost") return teller.lost();
  return teller.latent();
}

class Teller {
  private readonly hazard: Hazard;
  private readonly machine: ResolvedMachine;
  private readonly operationAt: OperationAt;
  private readonly nameOf: NameOf;

  constructor(hazard: Hazard, machine: ResolvedMachine, operationAt: OperationAt, nameOf: NameOf) {
    this.hazard = hazard;
    this.machine = machine;
    this.operationAt = operationAt;
    this.nameOf = nameOf;
  }

  observed(): Explanation {
    const { hazard } = this;
    const verb =
      hazard.class === "stale-fetch"
        ? "fetched old bytes from"
        : hazard.class === "leak"
          ? "saw somebody else's bytes in"
          : hazard.class === "stale-walk"
            ? "walked an old descriptor in"
            : "read an old value from";
    return {
      what: `${this.requester(hazard.observer)} ${verb} line ${address(hazard.line)} ${this.at(hazard.record)}${this.repeated()}`,
      written: this.written(),
      ...(hazard.observed === hazard.expected
        ? {}
        : {
            seen: `${word(hazard.observed)} at ${address(hazard.address)}; the newest value is ${word(hazard.expected)}`,
          }),
      where: this.whereNewest(),
      path: this.pathOfObserver(),
      ...(hazard.lostAt >= 0 ? { loss: this.loss(hazard.lostAt) } : {}),
      remedy: this.remedyForObserved(),
    };
  }

  lost(): Explanation {
    const { hazard } = this;
    const operation = this.operationAt(hazard.record);
    return {
      what: `the newest value of line ${address(hazard.line)} was lost ${this.at(hazard.record)}, by ${this.requester(hazard.observer)}`,
      written: this.written(),
      where: "nowhere: no cache and no memory holds it any more; nobody has to have noticed (R27)",
      loss: this.loss(hazard.record),
      remedy: lossRemedy(operation, address(hazard.line)),
    };
  }

  latent(): Explanation {
    const { hazard } = this;
    const line = address(hazard.line);
    const who = this.requester(hazard.observer);
    switch (hazard.class) {
      case "mismatched-attributes":
        return {
          what: `${who} accessed line ${line} as ${attributeName(hazard.attribute)} ${this.at(hazard.record)} while a cache holds it${this.repeated()}`,
          ...(this.cacheAt(hazard.newestAt) === undefined ? {} : { where: `in ${this.place(hazard.newestAt)}` }),
          path: "the access went past the caches; the copy may be newer, or may later be written back over what was written (R20)",
          remedy: `clean and invalidate the line by VA (DC CIVAC ${line}, DSB) when its mapping changes from cacheable to uncached or back`,
        };
      case "set/way-while-shared":
        return {
          what: `${who} did set/way maintenance ${this.at(hazard.record)} while another core can hold lines of the same memory${this.repeated()}`,
          path: "set/way reaches only the executing core's own caches, and lines move between cores at any time (R22)",
          remedy: "maintain by VA (DC CIVAC over the range), or take every other core out of coherency first",
        };
      case "set/way-short-of-poc":
        return {
          what: `${who} finished a loop over all sets and ways ${this.at(hazard.record)}, and ${counted(hazard.lines, "dirty line")} ${hazard.lines === 1 ? "remains" : "remain"} in a system cache`,
          where: `above the Point of Coherency, in ${this.systemCaches()}`,
          path: "CLIDR_EL1 does not list the system cache, so no set/way operation reaches it; uncached accesses and non-coherent devices pass it by (R4)",
          remedy:
            "clean by VA (DC CVAC or DC CIVAC over the range, then DSB): by-VA maintenance reaches the Point of Coherency",
        };
      case "set/way-migrated":
        return {
          what: `a loop over sets and ways that began on another core went on on ${who} ${this.at(hazard.record)}`,
          path: "the sets and ways done before are those of the first core's caches, the rest those of the second: neither is clean (R22)",
          remedy: "keep the loop on one core (preemption off, or trapped by the hypervisor), or maintain by VA",
        };
      default:
        return {
          what: `${who} relied on maintenance of line ${line} that no barrier has completed ${this.at(hazard.record)}${this.repeated()}`,
          path: "maintenance is complete for others at the issuing core's next DSB, and for a core's own fetches after its ISB (R25)",
          remedy:
            "a DSB on the core that did the maintenance before anybody relies on it; before a fetch also an ISB on the fetching core",
        };
    }
  }

  private written(): string {
    const { hazard } = this;
    if (hazard.newest < 0) {
      return hazard.class === "leak"
        ? "nobody has written the location since it was given away"
        : "nobody in this trace wrote it";
    }
    const operation = this.operationAt(hazard.newest);
    const how = operation === undefined ? "" : ` (${operation})`;
    return `by ${this.requester(hazard.writer)} ${this.at(hazard.newest)} as ${attributeName(hazard.writerAttribute)}${how}`;
  }

  private whereNewest(): string {
    const { newestAt } = this.hazard;
    if (newestAt === "nowhere") return "nowhere any more";
    const cache = this.cacheAt(newestAt);
    const note =
      cache?.kind === "system"
        ? ", which set/way does not reach and uncached accesses bypass (R4)"
        : newestAt === "outer"
          ? ", which neither by-VA nor set/way instructions reach, only its own registers (R4)"
          : "";
    return `in ${this.place(newestAt)}${note}`;
  }

  private pathOfObserver(): string {
    const { hazard } = this;
    const source = this.place(hazard.source);
    const attribute = attributeName(hazard.attribute);
    if (this.isDevice(hazard.observer)) {
      const device = this.machine.devices[hazard.observer - this.machine.cores.length];
      return device?.coherent
        ? `the device snoops the caches and was given the copy in ${source} (R46)`
        : `the device is not coherent: it sees ${source}, never the caches (R46)`;
    }
    if (hazard.class === "stale-fetch") {
      return this.cacheAt(hazard.source)?.holds === "instructions"
        ? `the fetch hit ${source}, which no data write updates (R18)`
        : `the fetch (${attribute}) missed the instruction cache and was served by ${source}, which data caches on the way do not answer for (R35)`;
    }
    if (!this.cacheable(hazard.attribute)) {
      const served = this.cacheAt(hazard.source) === undefined ? "" : ", with a hit all the same";
      return `the access is ${attribute}: it bypasses every cache before the Point of Coherency and was served by ${source}${served} (R14)`;
    }
    return `the access is ${attribute} and was served by ${source}`;
  }

  private loss(record: number): string {
    const operation = this.operationAt(record);
    return `the newest value was lost ${this.at(record)}${operation === undefined ? "" : ` (${operation})`}: it was discarded or overwritten before it reached memory (R27)`;
  }

  private remedyForObserved(): string {
    const { hazard } = this;
    const line = address(hazard.line);
    const between = this.between();
    if (hazard.newestAt === "nowhere" || hazard.lostAt >= 0) {
      return lossRemedy(hazard.lostAt < 0 ? undefined : this.operationAt(hazard.lostAt), line);
    }
    if (hazard.class === "leak") {
      return `whoever gives the page away clears it and cleans it by VA to the Point of Coherency (DC CIVAC ${line}, DSB) before the new owner is let in`;
    }
    const newest = this.cacheAt(hazard.newestAt);
    const source = this.cacheAt(hazard.source);
    if (hazard.newestAt === "outer") return `an outer cache clean of ${line} (by PA, then its sync) ${between}`;
    if (hazard.source === "outer") return `an outer cache invalidate of ${line} (by PA, then its sync) ${between}`;
    if (hazard.class === "stale-fetch") return this.remedyForFetch(newest, source, line, between);
    if (source !== undefined) {
      // The observer was served by a copy that had become old underneath.
      return `DC CIVAC ${line} before the write ${this.at(hazard.newest)}, and DC IVAC ${line} (or CIVAC) with a DSB ${between}, so that the old copy in ${this.place(hazard.source)} is gone`;
    }
    if (newest === undefined) return `DSB, and clean and invalidate ${line} by VA ${between}`;
    const short =
      newest.kind === "system"
        ? "; DC CISW and DC CSW would not have done, they end above it"
        : newest.setWay
          ? `; by set/way only if ${this.coresOf(newest)} did it${this.hasSystemCache() ? ", and then the system cache would still hold it" : ""}`
          : "";
    return `DC CVAC or DC CIVAC ${line}, then DSB, ${between}${short}`;
  }

  private remedyForFetch(newest: Cache | undefined, source: Cache | undefined, line: string, between: string): string {
    const instruction = source?.holds === "instructions";
    if (!instruction && source === undefined) {
      // Served by memory: cleaning to the Point of Unification is not far enough.
      return `DC CVAC or DC CIVAC ${line} (to the Point of Coherency: the fetch looked in memory), DSB, IC IVAU, DSB, ISB, ${between}`;
    }
    const clean = newest !== undefined && newest.holds === "data" ? `DC CVAU ${line}, DSB, ` : "";
    return `${clean}IC IVAU ${line}, DSB, and ISB on the fetching core, ${between}`;
  }

  private at(record: number): string {
    return record < 0 ? "at no known record" : `at ${this.nameOf(record)}`;
  }

  private between(): string {
    const { newest, record } = this.hazard;
    if (newest < 0) return `before ${this.nameOf(record)}`;
    return `between ${this.nameOf(newest)} and ${this.nameOf(record)}`.replace(
      /^between record (\S+) and record /,
      "between records $1 and ",
    );
  }

  private repeated(): string {
    return this.hazard.occurrences > 1 ? `, and ${counted(this.hazard.occurrences - 1, "more time")}` : "";
  }

  private isDevice(requester: number): boolean {
    return requester >= this.machine.cores.length;
  }

  private requester(requester: number): string {
    if (requester < 0) return "nobody";
    if (!this.isDevice(requester)) return `core ${requester}`;
    const device = this.machine.devices[requester - this.machine.cores.length];
    return `device ${device?.name ?? requester}`;
  }

  private cacheAt(place: Place): Cache | undefined {
    return typeof place === "object" ? this.machine.caches[place.cache] : undefined;
  }

  private place(place: Place): string {
    return placeName(place, this.machine);
  }

  private coresOf(cache: Cache): string {
    return cache.cores.length === 1 ? `core ${cache.cores[0]}` : `one of cores ${ranges(cache.cores)}`;
  }

  private hasSystemCache(): boolean {
    return this.machine.caches.some((cache) => cache.kind === "system");
  }

  private systemCaches(): string {
    const levels = new Set(this.machine.caches.filter((cache) => cache.kind === "system").map((cache) => cache.level));
    return levels.size === 0 ? "no cache of this machine" : `the ${[...levels].join(" and ")}`;
  }

  /** With `wb-only`, anything but inner and outer Write-Back is uncached for data (R34). */
  private cacheable(attribute: number): boolean {
    if (attribute === ATTRIBUTES.DEVICE.code || attribute === ATTRIBUTES.NON_CACHEABLE.code) return false;
    const writeBack =
      attribute === ATTRIBUTES.WRITE_BACK.code || attribute === ATTRIBUTES.WRITE_BACK_NON_SHAREABLE.code;
    return writeBack || this.machine.cacheability === "split";
  }
}

/** `core 0's L1D`, `the L2 of cores 0-3`, `the L3 of socket 1`, `memory`. */
export function placeName(place: Place, machine: ResolvedMachine): string {
  if (place === "outer") return "the outer cache";
  if (place === "memory-side") return "the memory-side cache";
  if (typeof place === "string") return place;
  const cache = machine.caches[place.cache];
  if (cache === undefined) return `cache ${place.cache}`;
  const kind = cache.kind === "system" ? " (a system cache)" : "";
  if (cache.cores.length === 1) return `core ${cache.cores[0]}'s ${cache.level}${kind}`;
  const ofSocket = machine.cores.filter((core) => core.socket === cache.socket).length;
  if (cache.cores.length === ofSocket && machine.sockets > 1)
    return `the ${cache.level}${kind} of socket ${cache.socket}`;
  if (cache.cores.length === machine.cores.length) return `the ${cache.level}${kind} of the machine`;
  return `the ${cache.level}${kind} of cores ${ranges(cache.cores)}`;
}

/** What would have kept a value that was lost; sharper where the operation that lost it is known. */
function lossRemedy(operation: string | undefined, line: string): string {
  if (operation?.includes("DC IVAC"))
    return `DC CVAC (or CIVAC) ${line} in the place of DC IVAC, or nobody writing the line before it`;
  if (operation?.includes("DC ISW")) return "DC CISW in the place of DC ISW, or DC CIVAC by VA before it";
  if (operation?.includes("outer invalidate")) return "an outer cache clean before its invalidate";
  return `DC CVAC ${line} and DSB after the write and before the loss; where a dirty copy was written back over it, DC CIVAC ${line} before the uncached write`;
}

export function attributeName(code: number): string {
  return Object.values(ATTRIBUTES).find((attribute) => attribute.code === code)?.name ?? "unknown attributes";
}
