/** Files by path, wherever they came from: a folder, a tar archive, or the command line. */

export interface InputFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Named by the user, not met inside a folder or an archive: it must mean something. */
  readonly named: boolean;
  /** The folder that the user named, where it was met in one. */
  readonly from?: string;
}

/** What an import may take in, whatever folders and archives claim. */
export const MAX_FILES = 200_000;
export const MAX_FILE_BYTES = 64 * 2 ** 20;
export const MAX_TOTAL_BYTES = 256 * 2 ** 20;
/** A hundred times what any of the text formats needs; a text takes far more memory read than written. */
export const MAX_TEXT_BYTES = 16 * 2 ** 20;
