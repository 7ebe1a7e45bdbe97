// In: nothing. Out: the schema of a rules file, and the rules that hold without one.
// Never: has a rule that could change production.

import {
  Array as ListSchema,
  Enum,
  Object as ObjectSchema,
  Optional,
  String as TextSchema,
  type Static,
} from 'typebox';
import { fingerprintSubjects, hostRoles, verdictStatuses } from '@foreshadow/model';

export const POLICY_RULES_MAX = 200;

const ruleSchema = ObjectSchema(
  {
    name: TextSchema({ minLength: 1, maxLength: 80, description: 'Named in every decision.' }),
    when: ObjectSchema(
      {
        incident: Enum(['drift', 'behaviour'], { description: 'Kind of the incident.' }),
        subject: Optional(
          Enum([...fingerprintSubjects], { description: 'What kind of item drifts.' }),
        ),
        changedSide: Optional(
          Enum([...hostRoles], { description: 'Which side changed the item.' }),
        ),
        verdict: Optional(
          ListSchema(Enum([...verdictStatuses]), {
            minItems: 1,
            maxItems: verdictStatuses.length,
            description: "The pair's verdict is one of these.",
          }),
        ),
      },
      { additionalProperties: false, description: 'All that is given must hold.' },
    ),
    do: Enum(['restore', 'alert'], { description: 'What is done about it.' }),
  },
  { additionalProperties: false },
);

/** A rules file. Of the rules that do the same, the first that matches holds. */
export const policyRulesSchema = ObjectSchema(
  {
    rules: ListSchema(ruleSchema, {
      maxItems: POLICY_RULES_MAX,
      description: 'Of the rules that do the same, the first that matches holds.',
    }),
  },
  { additionalProperties: false },
);

export type PolicyRules = Static<typeof policyRulesSchema>;

/**
 * Everything is told; a file that the shadow changed is put back once its effect has been measured.
 */
export const defaultRules: PolicyRules = {
  rules: [
    {
      name: 'restore-shadow-files',
      when: { incident: 'drift', subject: 'file', changedSide: 'shadow', verdict: ['diverged'] },
      do: 'restore',
    },
    { name: 'alert-on-drift', when: { incident: 'drift' }, do: 'alert' },
    { name: 'alert-on-behaviour', when: { incident: 'behaviour' }, do: 'alert' },
  ],
};
