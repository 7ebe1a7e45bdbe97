// Read this first: every room of the controller, in the order in which data passes through them.
//
//   broker ─► ingest ─► store ─► pairing ─► deviation ─► verdict ─► incidents ─► policy ─► dispatch
//   ─► agents
//                         │ (marks: what spools may trim)    └──────────┴──► alerts (CloudEvents)
//                         │
//                         └◄──────────────────────────── outcomes and new samples
//                         ◄─────────────────┘
//
// One loop does everything, at its own pace; callbacks only fill bounded queues.

import { compareInventories, createExpectedRules, identityRules } from '@foreshadow/configuration';
import {
  type CommandRecord,
  type Decision,
  type Drift,
  type HostId,
  type Incident,
  type NoiseFloor,
  type Pair,
  type PairDeviation,
  type Verdict,
} from '@foreshadow/model';
import { createPace, type Clock, type Logger } from '@foreshadow/runtime';
import type { Agents } from './agents.ts';
import { incidentEvents } from './alerts/index.ts';
import { createNoiseFloors, measureDeviations } from './deviation/index.ts';
import type { CommandRequest } from './dispatch/index.ts';
import type { IncidentChange } from './incidents/index.ts';
import { alignPairs, formPairs, type PairingRule } from './pairing/index.ts';
import { decide, type PolicyRules } from './policy/index.ts';
import { COMMIT_BATCHES_MAX } from './store/index.ts';
import type { Rooms } from './rooms.ts';
import { judge, learnsNoise, type ResolveLimit } from './verdict/index.ts';

/** Group commit: what arrived is made durable, and acknowledged, this often. */
export const COMMIT_INTERVAL_MS = 200;
/** How far back deviations, trends and velocities look. */
export const JUDGED_SPAN_MS = 5 * 60_000;
export const NOISE_SAVED_EVERY_MS = 60_000;

export interface Settings {
  readonly explicitPairs: readonly { readonly production: HostId; readonly shadow: HostId }[];
  readonly pairingRules: readonly PairingRule[];
  readonly limits: (labelsOf: (pair: Pair) => Readonly<Record<string, string>>) => ResolveLimit;
  readonly rules: PolicyRules;
  readonly judgingIntervalMs: number;
}

/** What is known of one pair now. */
export interface PairLife {
  readonly pair: Pair;
  drifts: readonly Drift[];
  comparedVersions: string;
  deviation?: PairDeviation;
  verdict?: Verdict;
}

/** The loop and its state. Opened by main.ts with rooms that are open. */
export class Pipeline {
  readonly #rooms: Rooms;
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onFatal: (error: unknown) => void;
  readonly #limits: ResolveLimit;
  readonly #agents: Agents;
  readonly #noise = createNoiseFloors();
  readonly #isJudgingDue: () => boolean;
  readonly #isSavingDue: () => boolean;
  #lives = new Map<string, PairLife>();
  #pairedVersion = 0;
  #tickedMs: number;

  constructor(options: {
    readonly rooms: Rooms;
    readonly agents: Agents;
    readonly settings: Settings;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly onFatal: (error: unknown) => void;
  }) {
    this.#rooms = options.rooms;
    this.#agents = options.agents;
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#onFatal = options.onFatal;
    this.#limits = options.settings.limits(
      (pair) => this.#rooms.registry.get(pair.production)?.labels ?? {},
    );
    this.#tickedMs = options.clock.monotonicMs();
    this.#isJudgingDue = createPace(
      this.#clock,
      options.settings.judgingIntervalMs,
      COMMIT_INTERVAL_MS / 2,
    );
    this.#isSavingDue = createPace(this.#clock, NOISE_SAVED_EVERY_MS);
  }

  /** In order of pairing. */
  get lives(): readonly PairLife[] {
    return [...this.#lives.values()];
  }
  life(pair: string): PairLife | undefined {
    return this.#lives.get(pair);
  }
  /** Since the loop last went round, ms. */
  get tickAgeMs(): number {
    return this.#clock.monotonicMs() - this.#tickedMs;
  }

  /**
   * Goes round until the signal aborts. @throws what makes going on unsafe: the store could not
   * write
   */
  async run(signal: AbortSignal): Promise<void> {
    for await (const { key, value } of this.#rooms.store.readStates('noise/')) {
      // Written by #saveNoise, under a checksum.
      this.#noise.restore(key.slice('noise/'.length), value as NoiseFloor);
    }
    while (!signal.aborted) {
      await this.tick();
      try {
        await this.#clock.sleep(COMMIT_INTERVAL_MS, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
    await this.#commit();
  }

  /** Once round: what came in, who is paired, what differs, what it means, what to do. */
  async tick(): Promise<void> {
    await this.#commit();
    await this.#formPairs();
    for (const life of this.#lives.values()) await this.#compareConfiguration(life);
    if (this.#isJudgingDue()) {
      await this.#judgePairs();
      for (const incident of this.#rooms.incidents.list()) {
        if (incident.state === 'open') await this.#decide(incident);
      }
    }
    await this.#saveNoise();
    this.#agents.askForSnapshots();
    this.#tickedMs = this.#clock.monotonicMs();
  }

  async #commit(): Promise<void> {
    const { ingest, store, registry } = this.#rooms;
    for (
      let taken = ingest.take(COMMIT_BATCHES_MAX);
      taken.batches.length + taken.lost.length > 0;
      taken = ingest.take(COMMIT_BATCHES_MAX)
    ) {
      await store.append(taken.batches, ingest.coverageWith(taken));
      for (const mark of ingest.confirm(taken)) this.#agents.announce(mark);
      for (const { batch } of taken.batches) {
        registry.heard(batch.host);
        for (const event of batch.events)
          this.#logger.info(event.sentence, { host: batch.host, event: event.kind });
      }
    }
  }

  async #formPairs(): Promise<void> {
    const { registry, incidents } = this.#rooms;
    if (registry.version === this.#pairedVersion) return;
    this.#pairedVersion = registry.version;
    const { explicitPairs: explicit, pairingRules: rules } = this.#settings;
    const { pairs, problems } = formPairs({ hosts: registry.list(), explicit, rules });
    for (const problem of problems) this.#logger.warn(problem.sentence, { code: problem.code });
    this.#lives = new Map(
      pairs.map((pair) => [
        pair.id,
        this.#lives.get(pair.id) ?? { pair, drifts: [], comparedVersions: '' },
      ]),
    );
    await this.#record(incidents.recordPairs(new Set(this.#lives.keys()), this.#clock.nowMs()));
  }

  /**
   * Only when a fingerprint of either side changed since, and only when both sides have told
   * everything.
   */
  async #compareConfiguration(life: PairLife): Promise<void> {
    const { store, incidents } = this.#rooms;
    const { id, production, shadow } = life.pair;
    const versions = `${store.fingerprintVersion(production)} ${store.fingerprintVersion(shadow)}`;
    if (
      versions === life.comparedVersions ||
      !store.hasSnapshot(production) ||
      !store.hasSnapshot(shadow)
    )
      return;
    life.comparedVersions = versions;
    const nowMs = this.#clock.nowMs();
    const comparison = compareInventories({
      pair: id,
      production: store.items(production),
      shadow: store.items(shadow),
      expected,
      nowMs,
    });
    const { drifts, unreadable, driftsCutCount, unreadableCutCount } = comparison;
    life.drifts = drifts;
    const compared = {
      drifts,
      unreadable: new Set(unreadable.map(({ item }) => item)),
      isCut: driftsCutCount + unreadableCutCount > 0,
    };
    await this.#record(incidents.recordDrifts(id, compared, nowMs));
  }

  async #judgePairs(): Promise<void> {
    const { store, incidents, outbox } = this.#rooms;
    const nowMs = this.#clock.nowMs();
    const windows = alignPairs({
      pairs: this.lives.map(({ pair }) => pair),
      read: (host) =>
        store.readWindow(host, { startMs: nowMs - JUDGED_SPAN_MS, endMs: nowMs + JUDGED_SPAN_MS }),
      nowMs,
      spanMs: JUDGED_SPAN_MS,
    });
    const deviations = measureDeviations(windows, {
      noise: (pair, observable) => this.#noise.get(pair.id, observable),
    });
    for (const deviation of deviations) {
      const life = this.#lives.get(deviation.pair.id);
      if (life === undefined) continue;
      const previous = life.verdict;
      const verdict = judge(deviation, { limits: this.#limits, previous, nowMs });
      if (
        deviation.newestMs !== life.deviation?.newestMs &&
        learnsNoise(verdict, { hasDrift: life.drifts.length > 0 })
      ) {
        this.#noise.learn(deviation);
      }
      life.deviation = deviation;
      life.verdict = verdict;
      if (verdict.status !== previous?.status || verdict.reason !== previous.reason) {
        this.#logger.info(verdict.sentence, {
          pair: verdict.pair,
          verdict: verdict.status,
          reason: verdict.reason,
        });
        outbox.emit({
          family: 'verdict',
          what: verdict.status,
          pair: verdict.pair,
          atMs: nowMs,
          data: verdict,
        });
      }
      await this.#record(incidents.recordVerdict(verdict));
    }
  }

  async #saveNoise(): Promise<void> {
    if (!this.#isSavingDue()) return;
    const changed = this.#noise.takeChanged();
    await this.#rooms.store.putStates(changed.map(([key, noise]) => [`noise/${key}`, noise]));
  }

  async #decide(incident: Incident): Promise<void> {
    const { incidents, registry } = this.#rooms;
    const life = this.#lives.get(incident.pair);
    if (life === undefined) return;
    const { pair, verdict } = life;
    const nowMs = this.#clock.nowMs();
    const history = incidents.decisions(incident);
    const shadowHost = registry.get(pair.shadow);
    for (const decision of decide({
      incident,
      pair,
      verdict,
      shadowHost,
      rules: this.#settings.rules,
      history,
      nowMs,
    })) {
      const isTold = history.some(
        ({ decision: past }) =>
          past.kind === 'none' &&
          past.incident === incident.id &&
          past.sentence === decision.sentence,
      );
      if (decision.kind === 'none' && isTold) continue;
      await this.#record([
        {
          incident: incident.id,
          atMs: nowMs,
          change: 'decided',
          sentence: decision.sentence,
          details: { decision },
        },
      ]);
      this.#rooms.outbox.emit({
        family: 'decision',
        what: decision.kind,
        pair: pair.id,
        atMs: nowMs,
        data: decision,
      });
      if (decision.kind === 'alert')
        this.#logger.warn(decision.sentence, { pair: pair.id, rule: decision.rule });
      if (decision.kind === 'restore') await this.#restore(decision);
    }
  }

  async #restore(decision: Extract<Decision, { kind: 'restore' }>): Promise<void> {
    const { host, order, incident, rule, sentence: reason } = decision;
    const request = { host, order, incident, reason, requestedBy: `rule ${rule}` };
    await this.#rooms.dispatch.start({ ...request, isDryRun: false });
  }

  /** For the API: what a person asks for. A restore joins the incident that it is about. */
  async requestCommand(request: CommandRequest): Promise<CommandRecord> {
    const { host, order } = request;
    const about = this.#rooms.incidents.list().find(({ state, subject, pair }) => {
      const hosts = this.#lives.get(pair)?.pair;
      const isOurs = hosts?.production === host || hosts?.shadow === host;
      return order.kind === 'restore' && state === 'open' && subject === order.item && isOurs;
    });
    const joined = about === undefined ? request : { ...request, incident: about.id };
    return this.#rooms.dispatch.start(joined);
  }

  /** For dispatch: a command was sent or has ended. */
  onCommand(record: CommandRecord): void {
    const { command, outcome } = record;
    const atMs = record.endedMs ?? record.sentMs;
    const pair = this.lives.find(
      (life) => life.pair.shadow === command.host || life.pair.production === command.host,
    )?.pair;
    const what = outcome?.kind ?? 'sent';
    if (pair !== undefined)
      this.#rooms.outbox.emit({ family: 'command', what, pair: pair.id, atMs, data: record });
    if (outcome !== undefined)
      this.#logger.info(outcome.sentence, {
        host: command.host,
        command: command.id,
        order: command.order.kind,
        outcome: outcome.kind,
      });
    const change = commandChange(record, atMs);
    if (change !== undefined) this.#record([change]).catch(this.#onFatal);
  }

  /** Makes changes durable, then tells of them. */
  async #record(changes: readonly IncidentChange[]): Promise<void> {
    if (changes.length === 0) return;
    for (const record of await this.#rooms.incidents.commit(changes)) {
      const incident = this.#rooms.incidents.get(record.incident);
      if (incident === undefined) continue;
      for (const event of incidentEvents(incident, record)) this.#rooms.outbox.emit(event);
      if (record.change === 'opened' || record.change === 'closed') {
        this.#logger.info(record.sentence, {
          pair: incident.pair,
          incident: incident.id,
          change: record.change,
        });
      }
    }
  }
}

const expected = createExpectedRules(identityRules);

/** What the ledger of the incident that a command is about says of it. */
function commandChange(record: CommandRecord, atMs: number): IncidentChange | undefined {
  const { command, outcome } = record;
  if (command.incident === undefined) return undefined;
  const told = { incident: command.incident, atMs };
  if (outcome !== undefined)
    return {
      ...told,
      change: 'outcome',
      sentence: outcome.sentence,
      details: { command: command.id, outcome },
    };
  const what = command.isDryRun ? 'dry run' : 'command';
  const sentence = `${what} ${command.id} sent to ${command.host} for ${command.requestedBy}.`;
  return { ...told, change: 'commanded', sentence, details: { command } };
}
