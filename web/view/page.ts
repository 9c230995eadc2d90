/** What every view gets: the worker, what there is to choose, and the page's state. */
import type { PageState } from "../address.ts";
import type { Catalogue } from "../protocol.ts";
import type { Studio } from "../studio.ts";

export interface Page {
  readonly studio: Studio;
  readonly catalogue: Catalogue;
  readonly state: PageState;
  /** Changes the state, and with it the URL; `redraw` shows the view anew. */
  update(changes: Partial<PageState>, redraw?: boolean): void;
}

export interface View {
  readonly element: HTMLElement;
  /** Shows the page's state. */
  show(): void;
  /** Stops what runs by itself. */
  hide?(): void;
  /** Whether it knew the key. */
  key?(event: KeyboardEvent): boolean;
}
