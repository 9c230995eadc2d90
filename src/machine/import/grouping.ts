/**
 * Which cores make a cluster and which a socket, so that every cache found is shared by one core, one cluster, one socket
 * or the machine, which is all that a description can say (semantics D1).
 */

export interface Groups {
  /** Socket of each core. */
  readonly socketOf: readonly number[];
  /** Cores of each cluster, ascending; clusters in the order of their first core. */
  readonly clusters: readonly (readonly number[])[];
  readonly assumed: readonly string[];
}

export interface GroupingInput {
  readonly cores: number;
  /** Socket as the file says it, or NUMA node; undefined where it says neither. */
  readonly socketOf: readonly (number | undefined)[];
  /** `socketOf` are NUMA nodes. */
  readonly socketsAreNodes: boolean;
  /** Cores that share one cache, a list for each shared cache; each ascending. */
  readonly shared: readonly (readonly number[])[];
  /** What distinguishes cores: cores of one cluster are alike. */
  readonly kindOf: readonly string[];
  /** Cores that the file puts together. */
  readonly clusterOf: readonly (string | undefined)[];
}

const MAX_SOCKETS = 64;

export function groupCores(input: GroupingInput): Groups {
  const assumed: string[] = [];
  let socketOf = numbered(input.socketOf.map((socket) => `${socket ?? 0}`));
  const all = input.cores;
  // A cache that spans some sockets, but not all, or that spans NUMA nodes, means that those are one.
  const spanning = input.shared.filter((cores) => {
    const sockets = new Set(cores.map((core) => socketOf[core]!)).size;
    return sockets > 1 && (cores.length < all || input.socketsAreNodes);
  });
  if (spanning.length > 0) {
    socketOf = numbered(joined(socketOf, spanning).map(String));
    assumed.push(
      input.socketsAreNodes
        ? "NUMA nodes whose cores share a cache are one socket"
        : "sockets whose cores share a cache are one",
    );
  }
  const size = (socket: number) => socketOf.filter((candidate) => candidate === socket).length;
  /** Shared by less than a socket. */
  const partly = (cores: readonly number[]) =>
    cores.length > 1 && cores.length < all && cores.length < size(socketOf[cores[0]!]!);
  let sets = distinct(input.shared.filter(partly));
  const isMixed = (cores: readonly number[]) => new Set(cores.map((core) => input.kindOf[core])).size > 1;
  const outermost = maximal(sets);
  if (sets.length > outermost.length || outermost.some(isMixed)) {
    const named = new Map<number, string>();
    for (const [index, cores] of outermost.entries()) for (const core of cores) named.set(core, `shared ${index}`);
    const candidate = numbered(socketOf.map((socket, core) => named.get(core) ?? `rest of ${socket}`));
    if (new Set(candidate).size <= MAX_SOCKETS) {
      socketOf = candidate;
      sets = distinct(input.shared.filter(partly));
      assumed.push(
        "cores that share an outer level of cache make a socket of their own, so that what is shared inside can be a cluster's",
      );
    }
  }
  const clusterName: (string | undefined)[] = new Array(all).fill(undefined);
  for (const [index, cores] of maximal(sets).entries()) for (const core of cores) clusterName[core] = `shared ${index}`;
  const key = (core: number) =>
    [
      socketOf[core],
      clusterName[core] ?? `by kind ${input.kindOf[core]} ${input.clusterOf[core] ?? ""}`,
      // A cluster that isn't uniform can't be described; its kinds come apart.
      input.kindOf[core],
    ].join("\n");
  const clusters = new Map<string, number[]>();
  for (let core = 0; core < all; core++) {
    const cluster = clusters.get(key(core)) ?? [];
    cluster.push(core);
    clusters.set(key(core), cluster);
  }
  return { socketOf, clusters: [...clusters.values()], assumed };
}

/** Words to numbers, in the order of their first appearance. */
function numbered(words: readonly string[]): number[] {
  const numbers = new Map<string, number>();
  return words.map((word) => {
    const known = numbers.get(word) ?? numbers.size;
    numbers.set(word, known);
    return known;
  });
}

/** Sockets after those that a set spans have become one: the lowest of them. */
function joined(socketOf: readonly number[], sets: readonly (readonly number[])[]): number[] {
  const parent = new Map<number, number>();
  const find = (socket: number): number => {
    let at = socket;
    while (parent.has(at)) at = parent.get(at)!;
    return at;
  };
  for (const cores of sets) {
    const roots = [...new Set(cores.map((core) => find(socketOf[core]!)))].sort((a, b) => a - b);
    for (const root of roots.slice(1)) parent.set(root, roots[0]!);
  }
  return socketOf.map(find);
}

function distinct(sets: readonly (readonly number[])[]): (readonly number[])[] {
  return [...new Map(sets.map((cores) => [cores.join(","), cores])).values()];
}

/** Those that lie in no other. Of two that overlap, the larger stays. */
function maximal(sets: readonly (readonly number[])[]): (readonly number[])[] {
  const taken = new Set<number>();
  const kept: (readonly number[])[] = [];
  for (const cores of [...sets].sort((a, b) => b.length - a.length)) {
    if (cores.some((core) => taken.has(core))) continue;
    kept.push(cores);
    for (const core of cores) taken.add(core);
  }
  return kept;
}
