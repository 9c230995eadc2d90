/** The platform of browsers and their like: Compression Streams, and names that are URLs, to be fetched. */
import { SetwayError } from "../engine/errors.ts";
import { webCodecs } from "./codec.web.ts";
import { fetchedSource } from "./fetched.ts";
import type { Platform } from "./platform.ts";

export const platform: Platform = {
  codecs: webCodecs,
  sourcesAt: fetchedSource,
  sinkAt: async (place) => {
    throw new SetwayError("usage", "files can't be written by name here", {
      found: String(place),
      expected: "a sink, for example bytesInto()",
    });
  },
};
