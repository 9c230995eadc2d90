/** What a verb has to say, in every form that it can be asked for: `-o kind:path` takes one of them (kinds.ts). */
import type { Page } from "./page.ts";
import type { Profile } from "./profile.ts";
import type { TidyTable } from "./tidy-table.ts";
import type { Timeline } from "./timeline.ts";

export interface Emitted<Json = unknown> {
  /** JSON-serialisable: the one object of `--json`. */
  readonly json: Json;
  /** The same for people. `color` says whether escape sequences are welcome. */
  readonly text: (color: boolean) => string;
  /** Numbers, one a row: CSV and Parquet. */
  readonly table?: () => TidyTable;
  /** What Markdown and HTML show. */
  readonly page?: () => Page;
  /** One picture: a complete SVG document. */
  readonly picture?: () => string;
  /** What happened when, for Perfetto. */
  readonly timeline?: () => Timeline;
  /** What each instruction cost, for callgrind's readers. */
  readonly profile?: () => Profile;
}
