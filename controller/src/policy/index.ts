// In: an incident, the pair's verdict, the rules and what was decided before. Out: decisions, each
// with a sentence.
// Never: acts, or changes production: there it alerts only.

export { RESTORES_PER_HOUR_MAX, RESTORE_COOLDOWN_MS, decide } from './decide.ts';
export { POLICY_RULES_MAX, defaultRules, policyRulesSchema, type PolicyRules } from './schema.ts';
