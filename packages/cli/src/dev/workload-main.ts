// In: arguments: configuration path, port, pid file. Out: the running service of `foreshadow dev`.
// Never: is started by anything but `foreshadow dev`.

import { startService } from './workload.ts';

const [configPath, port, pidFile] = process.argv.slice(2);
if (configPath === undefined || port === undefined || pidFile === undefined) {
  process.stderr.write('usage: workload-main CONFIG PORT PIDFILE\n');
  process.exitCode = 2;
} else {
  startService({ configPath, port: Number(port), pidFile });
}
