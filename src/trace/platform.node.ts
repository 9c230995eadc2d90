/** The platform of Node, and of what runs Node's packages: zlib, paths and `file:` URLs. Other URLs are fetched. */
import { fileURLToPath } from "node:url";
import { nodeCodecs } from "./codec.node.ts";
import { fetchedSource } from "./fetched.ts";
import { sourcesAt } from "./open.node.ts";
import { fileSink } from "./output.node.ts";
import type { Platform } from "./platform.ts";

export const platform: Platform = {
  codecs: nodeCodecs,
  sourcesAt: async (place) =>
    place instanceof URL && place.protocol !== "file:" ? fetchedSource(place) : sourcesAt(pathOf(place)),
  sinkAt: async (place) => fileSink(pathOf(place)),
};

const pathOf = (place: string | URL): string => (place instanceof URL ? fileURLToPath(place) : place);
