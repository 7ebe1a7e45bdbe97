// In: rules on item keys. Out: for an item, whether two comparable hosts may or must differ in it.
// Never: decides that a difference does not exist; it is reported as expected, with the reason.

import type { ItemKey } from '@foreshadow/model';

/**
 * `*` matches within a path component, `**` across. `must-differ`: two hosts with the same value
 * are clones.
 */
export interface IdentityRule {
  readonly pattern: string;
  readonly rule: 'may-differ' | 'must-differ';
  readonly reason: string;
}

export interface ExpectedRules {
  /**
   * @returns the first rule that names the item; undefined for an item in which the hosts must
   * agree
   */
  ruleFor(key: ItemKey): IdentityRule | undefined;
}

/** What makes a host this host and no other. */
export const identityRules: readonly IdentityRule[] = [
  mustDiffer('file:/etc/machine-id', 'identity of the installation'),
  mustDiffer('file:/etc/ssh/ssh_host_*_key*', 'keys of the host'),
  mayDiffer('file:/etc/{hostname,hosts,mailname}', 'name of the host'),
  mayDiffer('file:/etc/hostid', 'identity of the host'),
  mayDiffer('file:/etc/network/interfaces', 'addresses of the host'),
  mayDiffer('file:/etc/network/interfaces.d/**', 'addresses of the host'),
  mayDiffer('file:/etc/netplan/**', 'addresses of the host'),
  mayDiffer('file:/etc/systemd/network/**', 'addresses of the host'),
  mayDiffer('file:/etc/NetworkManager/system-connections/**', 'addresses of the host'),
  mayDiffer('file:/etc/sysconfig/network*', 'addresses of the host'),
  mayDiffer('file:/etc/resolv.conf', 'follows the network that the host is in'),
  mayDiffer('file:/etc/{fstab,crypttab}', 'names disks by their identifiers'),
  mayDiffer('file:/etc/udev/rules.d/*-persistent-*', 'names devices of the host'),
  mayDiffer('file:/etc/initramfs-tools/conf.d/resume', 'names a disk of the host'),
  mayDiffer('file:/boot/initrd.img-*', 'built on the host'),
  mayDiffer('file:/boot/grub/grub.cfg', 'names disks of the host'),
  mayDiffer('file:/boot/grub/device.map', 'names disks of the host'),
  mayDiffer('file:/etc/{localtime,timezone}', 'follows the place of the host'),
  mayDiffer('file:/etc/{passwd,group,shadow,gshadow,subuid,subgid}-', 'backup of an earlier state'),
  mayDiffer('file:/etc/ssl/certs/**', 'links that are rebuilt on the host'),
  mayDiffer('file:/etc/ssl/{certs,private}/ssl-cert-snakeoil.*', 'made for the name of the host'),
  mayDiffer('file:/etc/iscsi/initiatorname.iscsi', 'identity of the host'),
  mayDiffer('file:/etc/foreshadow/**', 'names the host to its controller'),
];

/**
 * Cost of `ruleFor`: one regular expression over the key, then one a rule for the few keys that
 * match.
 */
export function createExpectedRules(rules: readonly IdentityRule[]): ExpectedRules {
  const compiled = rules.map((rule) => ({
    rule,
    matches: new RegExp(`^${sourceOf(rule.pattern)}$`),
  }));
  const any = new RegExp(`^(?:${rules.map((rule) => sourceOf(rule.pattern)).join('|')})$`);
  return {
    ruleFor: (key) =>
      rules.length > 0 && any.test(key)
        ? compiled.find(({ matches }) => matches.test(key))?.rule
        : undefined,
  };
}

function mayDiffer(pattern: string, reason: string): IdentityRule {
  return { pattern, rule: 'may-differ', reason };
}

function mustDiffer(pattern: string, reason: string): IdentityRule {
  return { pattern, rule: 'must-differ', reason };
}

/**
 * A glob as the source of a regular expression: `**`, `*` and one level of `{a,b}`; all else stands
 * for itself.
 */
function sourceOf(pattern: string): string {
  return pattern
    .replaceAll(/[.+?^$()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/\{([^{}]*)\}/g, (_, choices: string) => `(?:${choices.replaceAll(',', '|')})`)
    .replaceAll(/\*\*?/g, (stars) => (stars === '**' ? '.*' : '[^/]*'));
}
