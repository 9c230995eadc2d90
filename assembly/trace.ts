// The module that readers of traces run, apart from any kernel.
export { join, lines, offsets, operations, requesters, words } from "./columns";
export { inflate } from "./inflate";
export { begin, finish, stripes } from "./xxh64";
