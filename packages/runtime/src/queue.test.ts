import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BoundedQueue } from './queue.ts';

test('what does not fit is refused and counted', () => {
  const queue = new BoundedQueue<string>(1);
  assert.equal(queue.offer('a'), true);
  assert.equal(queue.offer('b'), false);
  assert.equal(queue.refusedCount, 1);
  assert.deepEqual(queue.take(5), ['a']);
  assert.deepEqual(queue.take(5), []);
});

test('items come out in order, and never more than the bound are held', () => {
  const step = fc.oneof(fc.constant('offer' as const), fc.nat({ max: 4 }));
  fc.assert(
    fc.property(fc.array(step), fc.integer({ min: 1, max: 5 }), (steps, capacity) => {
      const queue = new BoundedQueue<number>(capacity);
      const model: number[] = [];
      for (const [index, action] of steps.entries()) {
        if (action === 'offer') assert.equal(queue.offer(index), model.length < capacity);
        else assert.deepEqual(queue.take(action), model.splice(0, action));
        if (action === 'offer' && model.length < capacity) model.push(index);
        assert.equal(queue.length, model.length);
      }
    }),
  );
});

test('a waiter wakes when an item arrives or the signal aborts', async () => {
  const queue = new BoundedQueue<string>(1);
  const stop = new AbortController();
  const arrived = queue.waitForItem(stop.signal);
  queue.offer('a');
  await arrived;
  await queue.waitForItem(stop.signal); // An item is there already.
  queue.take(1);
  const aborted = queue.waitForItem(stop.signal);
  stop.abort();
  await aborted;
  await queue.waitForItem(stop.signal);
});

test('waiting many times leaves no listener on the signal', async () => {
  const queue = new BoundedQueue<number>(1);
  const { signal } = new AbortController();
  for (let count = 0; count < 20; count += 1) {
    const arrived = queue.waitForItem(signal);
    queue.offer(count);
    await arrived;
    queue.take(1);
  }
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});
