// In: nothing. Out: what is looked at by default, and what is left out of it, each with the reason.
// Never: hides; every list is data that an operator sees in the configuration and may replace.

/**
 * Name of the item that stands for a whole subject: unreadable under this name, all of the subject
 * is unknown.
 */
export const EVERYTHING = '*';

/**
 * Glob on a logical path (or a slashed parameter name), and why what it matches says nothing about
 * configuration.
 */
export interface Exclusion {
  readonly pattern: string;
  readonly reason: string;
}

/**
 * A folder whose files are fingerprinted, and the name that it goes by, so that two hosts are
 * comparable.
 */
export interface FileRoot {
  /** Absolute; a component may be `*`. */
  readonly path: string;
  /** Logical name; the real path when absent. */
  readonly as?: string;
}

/**
 * Binaries are left to package verification: their packages and versions are items of their own.
 */
export const defaultFileRoots: readonly FileRoot[] = [
  { path: '/etc' },
  { path: '/boot' },
  { path: '/usr/lib/systemd/system' },
  { path: '/lib/systemd/system' },
  { path: '/usr/local/etc' },
  { path: '/opt/*/etc' },
];

const runtimeState = 'state of running programs';
const hardware = 'found out from the hardware or the clock';
const rebuilt = 'rebuilt from other files';
const editors = 'left behind by an editor';
const packaging = 'left behind by a package manager';
const restoring = 'a restore that is under way';
const records = 'a record of what happened';

/**
 * Union of the lists that Wazuh, AIDE, etckeeper and Blueprint ship, without `passwd-` and the
 * like, which do tell something.
 */
export const volatileFiles: readonly Exclusion[] = [
  { pattern: '/etc/mtab', reason: runtimeState },
  { pattern: '/etc/adjtime', reason: hardware },
  { pattern: '/etc/{fake-hwclock.data,random-seed}', reason: hardware },
  { pattern: '/etc/{utmpx,wtmpx,dumpdates}', reason: records },
  { pattern: '/etc/mail/statistics', reason: records },
  { pattern: '/etc/hosts.deny', reason: 'written by tools that ban addresses' },
  { pattern: '/etc/{ld.so.cache,prelink.cache}', reason: rebuilt },
  { pattern: '/etc/blkid.tab*', reason: hardware },
  { pattern: '/etc/{nologin,.pwd.lock}', reason: runtimeState },
  { pattern: '/etc/network/run{,/**}', reason: runtimeState },
  { pattern: '/etc/udev/hwdb.bin', reason: rebuilt },
  { pattern: '/etc/lvm/{cache,archive,backup}{,/**}', reason: records },
  { pattern: '/etc/apparmor.d/cache{,/**}', reason: rebuilt },
  { pattern: '/etc/cups/certs{,/**}', reason: runtimeState },
  { pattern: '/etc/cups/{subscriptions,printers}.conf*', reason: runtimeState },
  { pattern: '/etc/openvpn/*status*.log', reason: runtimeState },
  { pattern: '/etc/svc/volatile{,/**}', reason: runtimeState },
  { pattern: '/etc/{service,sv}/*/supervise{,/**}', reason: runtimeState },
  { pattern: '/etc/init.d/.depend.*', reason: rebuilt },
  { pattern: '/etc/httpd/logs{,/**}', reason: records },
  { pattern: '/boot/grub/grubenv', reason: runtimeState },
  { pattern: '**/*.{LOCK,lock}', reason: runtimeState },
  { pattern: '**/*.log', reason: records },
  { pattern: '**/{*.swp,*.swx,*~,#*#,.#*}', reason: editors },
  { pattern: '**/*.{pyc,pyo,elc}', reason: rebuilt },
  { pattern: '**/.foreshadow-cmd-*', reason: restoring },
  { pattern: '**/*.old', reason: packaging },
  { pattern: '**/*.{dpkg,ucf}-*', reason: packaging },
  { pattern: '**/*.{rpmnew,rpmorig,rpmsave,pacnew,pacorig,pacsave,apk-new}', reason: packaging },
  { pattern: '**/._cfg*', reason: packaging },
];

/** Kernel parameters that are compared, as globs on the path below `/proc/sys`. */
export const kernelParameterPatterns: readonly string[] = [
  'kernel/**',
  'vm/**',
  'fs/**',
  'net/core/**',
  'net/ipv4/**',
];

const counter = 'a counter of the running kernel';
const trigger = 'a trigger, not a setting';

/**
 * Parameters that change by themselves, differ on every boot, or must not be touched by reading.
 */
export const volatileParameters: readonly Exclusion[] = [
  {
    pattern: 'kernel/random/{uuid,boot_id,entropy_avail}',
    reason: 'drawn anew at every read or boot',
  },
  { pattern: 'kernel/{ns_last_pid,tainted,perf_event_max_sample_rate}', reason: counter },
  { pattern: 'kernel/{pty/nr,*_next_id}', reason: counter },
  { pattern: 'kernel/{hostname,domainname}', reason: 'identity of the host' },
  { pattern: 'kernel/sched_domain{,/**}', reason: hardware },
  { pattern: 'fs/{file-nr,inode-nr,inode-state,dentry-state,aio-nr}', reason: counter },
  { pattern: 'fs/quota{,/**}', reason: counter },
  { pattern: 'fs/binfmt_misc{,/**}', reason: 'an automount; a read could wait for it' },
  { pattern: '**/*_stat', reason: counter },
  { pattern: 'vm/{drop_caches,compact_memory,stat_refresh}', reason: trigger },
  { pattern: 'net/ipv4/route/flush', reason: trigger },
  { pattern: 'net/core/netdev_rss_key', reason: 'drawn anew at every boot' },
  {
    pattern: 'net/ipv4/{tcp_fastopen_key,tcp_fastopen_blackhole*}',
    reason: 'a secret of the host',
  },
  {
    pattern: 'net/ipv4/{conf,neigh}/!(all|default){,/**}',
    reason: 'named after interfaces, which differ',
  },
];
