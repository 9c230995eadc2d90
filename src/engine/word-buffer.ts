/** Records as the words that `play` and `run` take, written one after another into a buffer that grows. */

export class WordBuffer {
  #words = new Uint32Array(1024);
  #length = 0;

  /** What has been written; valid until the next call. */
  get words(): Uint32Array {
    return this.#words.subarray(0, this.#length);
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  protected empty(): void {
    this.#length = 0;
  }

  /** One record or prefix of a requester from 0 to 255. */
  protected push(code: number, requester: number, operand: number): this {
    if (this.#length + 2 > this.#words.length) {
      const larger = new Uint32Array(2 * this.#words.length);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[this.#length++] = operand % 2 ** 32;
    this.#words[this.#length++] = (requester << 24) | (code << 16) | Math.floor(operand / 2 ** 32);
    return this;
  }
}
