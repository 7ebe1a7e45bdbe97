// In: items from whoever is faster. Out: the same items, in order, to whoever is slower.
// Never: grows beyond its bound; what does not fit is refused and counted.

/** A bounded first-in first-out queue between a callback and a loop that runs at its own pace. */
export class BoundedQueue<Item> {
  readonly #capacity: number;
  #items: Item[] = [];
  #head = 0;
  #refusedCount = 0;
  #wake: (() => void) | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }
  /** Items refused since the start. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** @returns false when the queue is full; the item is then counted as refused */
  offer(item: Item): boolean {
    if (this.length >= this.#capacity) {
      this.#refusedCount += 1;
      return false;
    }
    this.#items.push(item);
    this.#wake?.();
    return true;
  }

  /** @returns up to `countMax` items, oldest first; empty when there are none */
  take(countMax: number): Item[] {
    const taken = this.#items.slice(this.#head, this.#head + countMax);
    this.#head += taken.length;
    if (this.#head > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }

  /** Resolves when an item is there or the signal aborts; one waiter at a time. */
  async waitForItem(signal: AbortSignal): Promise<void> {
    if (this.length > 0 || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    this.#wake = wake;
    signal.addEventListener('abort', wake, { once: true });
    await promise;
    signal.removeEventListener('abort', wake); // The signal outlives many waits.
    this.#wake = undefined;
  }
}
