/**
 * What happened when and where, for viewers of traces: tracks, slices on them, counters, and arrows between slices. Times are
 * whole numbers of `unit`; one unit is drawn as one microsecond, since viewers know no other time.
 */

export interface Timeline {
  readonly title: string;
  /** What one unit of time is: `record`, `cycle`. */
  readonly unit: "record" | "cycle";
  readonly tracks: readonly Track[];
  readonly slices: readonly Slice[];
  readonly samples: readonly Sample[];
}

export interface Track {
  /** From 1 on, each once; a track comes after the one that it belongs to. */
  readonly id: number;
  readonly name: string;
  /** `lane`s hold slices, `counter`s samples. */
  readonly kind: "lane" | "counter";
  /** The lane that a counter belongs to; all of them if absent. */
  readonly of?: number;
  /** Of a counter's values. */
  readonly unit?: string;
}

/** Slices of one lane lie beside or within one another. */
export interface Slice {
  readonly track: number;
  readonly from: number;
  readonly to: number;
  readonly name: string;
  readonly category: string;
  /** Arrows that begin here and that end here, by numbers from 1 on. */
  readonly arrowsFrom?: readonly number[];
  readonly arrowsTo?: readonly number[];
  readonly notes?: Readonly<Record<string, string | number>>;
}

export interface Sample {
  readonly track: number;
  readonly at: number;
  readonly value: number;
}
