/** What the page shows, as the part of its URL behind the `#`: everything that can be chosen is there, nothing else is. */
import type { Setting } from "./protocol.ts";

export const VIEWS = ["story", "compare", "sweep", "trace", "cost"] as const;
export type ViewName = (typeof VIEWS)[number];

export interface PageState {
  readonly view: ViewName;
  /** The story and how it is played; absent fields are the story's own. */
  readonly setting: Partial<Setting>;
  /** What the comparison plays on its other side. */
  readonly other: Partial<Omit<Setting, "story">>;
  /** Frames played, of the story or of the comparison. */
  readonly at: number;
  /** The story's edited text. */
  readonly code?: string | undefined;
  /** The visitor's own machine, as text. One that is too long isn't in the URL. */
  readonly own?: string | undefined;
  readonly sweep: {
    readonly machine?: string;
    readonly routine?: string;
    readonly size?: string;
    readonly at?: number;
  };
  readonly trace: { readonly machine?: string; readonly metric?: string };
  readonly cost: {
    readonly study?: string;
    readonly machine?: string;
    readonly parameters: Readonly<Record<string, string>>;
  };
}

export const START: PageState = {
  view: "story",
  setting: {},
  other: {},
  at: 0,
  sweep: {},
  trace: {},
  cost: { parameters: {} },
};

/** A list in one parameter; `-` is the empty one, which differs from none given. */
const listed = (list: readonly string[] | undefined): string | undefined =>
  list === undefined ? undefined : list.join("+") || "-";
const unlisted = (text: string | null): { fixes?: readonly string[] } =>
  text === null ? {} : { fixes: text === "-" || text === "" ? [] : text.split(/[+ ]/) };

export async function toHash(state: PageState): Promise<string> {
  const { setting, other, sweep, trace, cost } = state;
  const words = new URLSearchParams();
  const put = (key: string, value: string | number | undefined) => {
    if (value !== undefined && value !== "" && value !== 0) words.set(key, String(value));
  };
  put("story", setting.story);
  put("machine", setting.machine);
  put("era", setting.era);
  put("fixes", listed(setting.fixes));
  put("b.machine", other.machine);
  put("b.era", other.era);
  put("b.fixes", listed(other.fixes));
  put("at", state.at);
  put("sweep.machine", sweep.machine);
  put("sweep.routine", sweep.routine);
  put("sweep.size", sweep.size);
  put("sweep.at", sweep.at);
  put("trace.machine", trace.machine);
  put("trace.metric", trace.metric);
  put("study", cost.study);
  put("cost.machine", cost.machine);
  for (const [name, text] of Object.entries(cost.parameters)) put(`p.${name}`, text);
  if (state.code !== undefined) put("code", await packed(state.code));
  if (state.own !== undefined && (await fitsAddress(state.own))) put("own", await packed(state.own));
  // Lists keep their plus signs: they are part of no name.
  const text = words.toString().replaceAll("%2B", "+");
  return `#${state.view}${text === "" ? "" : `?${text}`}`;
}

/** Whatever it can't understand it leaves out. */
export async function fromHash(hash: string): Promise<PageState> {
  const [view = "", text = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  const words = new URLSearchParams(text);
  const word = <Key extends string>(key: string, as: Key): { readonly [K in Key]?: string } => {
    const value = words.get(key);
    return (value === null ? {} : { [as]: value }) as { readonly [K in Key]?: string };
  };
  const number = (key: string): number => Math.max(0, Math.floor(Number(words.get(key) ?? 0))) || 0;
  const code = words.get("code");
  const own = words.get("own");
  return {
    view: VIEWS.find((name) => name === view) ?? "story",
    setting: {
      ...word("story", "story"),
      ...word("machine", "machine"),
      ...word("era", "era"),
      ...unlisted(words.get("fixes")),
    },
    other: { ...word("b.machine", "machine"), ...word("b.era", "era"), ...unlisted(words.get("b.fixes")) },
    at: number("at"),
    ...(code === null ? {} : { code: await unpacked(code).catch(() => undefined) }),
    ...(own === null ? {} : { own: await unpacked(own).catch(() => undefined) }),
    sweep: {
      ...word("sweep.machine", "machine"),
      ...word("sweep.routine", "routine"),
      ...word("sweep.size", "size"),
      at: number("sweep.at"),
    },
    trace: { ...word("trace.machine", "machine"), ...word("trace.metric", "metric") },
    cost: {
      ...word("study", "study"),
      ...word("cost.machine", "machine"),
      parameters: Object.fromEntries(
        [...words].flatMap(([key, value]) => (key.startsWith("p.") ? [[key.slice(2), value]] : [])),
      ),
    },
  };
}

/** Longer addresses get cut off by programs that pass them on. */
const MOST_OWN_CHARACTERS = 4000;

/** Whether a machine's text is short enough for the URL. */
export const fitsAddress = async (own: string): Promise<boolean> => (await packed(own)).length <= MOST_OWN_CHARACTERS;

async function packed(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function unpacked(text: string): Promise<string> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).text();
}
