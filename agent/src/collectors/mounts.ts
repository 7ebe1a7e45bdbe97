// In: the content of `/proc/self/mounts`. Out: the mounted file systems whose filling up matters
// here, one for each device.
// Never: asks a network file system by default: a dead server makes the question wait for ever.

import { INSTANCE_LENGTH_MAX } from './collector.ts';
import { createScan, nextLine, nextWord } from './scan.ts';

const WORD_BYTES_MAX = 4_096; // PATH_MAX; a longer word is no path.

/**
 * File systems that hold no data of their own, hold it in memory, or are images that are always
 * full.
 */
export const pseudoTypes: ReadonlySet<string> = new Set(
  (
    'autofs binfmt_misc bpf cgroup cgroup2 configfs cramfs debugfs devpts devtmpfs efivarfs erofs ' +
    'fuse.gvfsd-fuse fuse.lxcfs fuse.portal fuse.snapfuse fusectl hugetlbfs iso9660 mqueue nsfs ' +
    'overlay proc pstore ramfs rpc_pipefs securityfs selinuxfs squashfs sysfs tmpfs tracefs udf'
  ).split(' '),
);

/** File systems that another machine serves. */
export const networkTypes: ReadonlySet<string> = new Set(
  (
    '9p afs beegfs ceph cifs coda fuse.ceph fuse.cephfs fuse.glusterfs fuse.rclone fuse.s3fs fuse.sshfs gfs2 ' +
    'glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 smb3 smbfs'
  ).split(' '),
);

export interface Mount {
  readonly path: string;
  readonly type: string;
}

/**
 * @returns all mount points of those, in the order of mounting. A mount over another hides it; of
 * several mounts of one device the first counts.
 */
export function parseMounts(content: Uint8Array): readonly Mount[] {
  const visible = new Map<string, { readonly device: string; readonly type: string }>();
  const scan = createScan(content);
  do {
    const device = nextWord(scan, WORD_BYTES_MAX);
    const mountPoint = nextWord(scan, WORD_BYTES_MAX);
    const type = nextWord(scan, INSTANCE_LENGTH_MAX);
    if (device !== undefined && mountPoint !== undefined && type !== undefined)
      visible.set(unescapeOctal(mountPoint), { device, type });
  } while (nextLine(scan));

  const firstOfDevice = new Map<string, Mount>();
  for (const [path, { device, type }] of visible) {
    if (pseudoTypes.has(type) || networkTypes.has(type) || firstOfDevice.has(device)) continue;
    if (path.startsWith('/') && path.length <= INSTANCE_LENGTH_MAX)
      firstOfDevice.set(device, { path, type });
  }
  return [...firstOfDevice.values()];
}

/**
 * The kernel writes blanks, newlines and backslashes of a path as three octal digits, one byte
 * each.
 */
export function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
