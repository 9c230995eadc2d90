/** What a verb has to say, in both forms that it can be asked for. */
export interface Emitted {
  /** JSON-serialisable: the one object of `--json`. */
  readonly json: unknown;
  /** The same for people. `color` says whether escape sequences are welcome. */
  readonly text: (color: boolean) => string;
}
