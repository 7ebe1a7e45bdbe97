// In: nothing. Out: the one face that a machine shows to collectors and fingerprinters.
// Never: writes to the machine, starts a process, or answers zero where it does not know.

/** What `statfs` says of one mounted file system, in bytes and inodes. */
export interface FilesystemFacts {
  readonly sizeBytes: number;
  /** Available to unprivileged users. */
  readonly availableBytes: number;
  readonly freeBytes: number;
  readonly filesCount: number;
  readonly filesFreeCount: number;
}

/** Slow facts of the machine; each is absent where the machine does not say. */
export interface Inventory {
  readonly hostname?: string;
  readonly operatingSystem?: string;
  readonly kernel?: string;
  readonly architecture?: string;
  readonly cpuModel?: string;
  readonly cpuCount?: number;
  readonly memoryBytes?: number;
  readonly virtualisation?: string;
}

/** Read-only facts of the machine. Implemented in agent/src/host, faked in test/support. */
export interface Host {
  /**
   * Content of a small file of `/proc` or `/sys`, read through a kept-open descriptor. The view is
   * valid until the next call.
   * @param path absolute, as on the machine; the implementation puts its roots before it
   * @returns undefined where the file is missing or may not be read; at most `HOST_FILE_BYTES_MAX`
   *   bytes
   */
  readBytes(path: string): Uint8Array | undefined;
  /** As `readBytes`, for a file that goes away (a process); opened, read and closed. */
  readOnce(path: string): Uint8Array | undefined;
  /** Names in a directory, unsorted; undefined where it is missing or may not be read. */
  list(path: string): readonly string[] | undefined;
  /**
   * At once for a type of file system whose kernel code answers from memory. Others never block the
   * event loop: a dead mount answers late or not at all.
   * @param type as in `/proc/self/mounts`
   */
  statFilesystem(
    path: string,
    type: string,
  ): FilesystemFacts | undefined | Promise<FilesystemFacts | undefined>;
  inventory(): Promise<Inventory>;
}
