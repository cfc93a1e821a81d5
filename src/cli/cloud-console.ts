import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { QuorateError } from '../errors.js';
import { builtFile } from '../package.js';
import { withEnvironment } from './output.js';
import { chooseLocalInstance, type PanelOptions } from './panel.js';

interface Options extends PanelOptions {
  readonly out: string;
  readonly name: string;
}

const ELSEWHERE = 'On any other cloud, as root on a controller: quorated recover-access DIRECTORY FILE NAME';

/** What is typed on a machine's own console, for the machines of the local cloud. */
export function configureConsole(command: Command): void {
  withEnvironment(
    command.command('recover-access <instance>').description('a new certificate for an admin who lost it'),
  )
    .option('--out <file>', 'where to', 'access.json')
    .option('--name <name>', 'whom it names', userInfo().username)
    .addHelpText(
      'after',
      `\n${ELSEWHERE}\n\nExample:\n  quorate cloud recover-access 0 --out access.json\n  quorate login --certificate access.json`,
    )
    .action(async (wanted: string, options: Options) => {
      const { cloud, instance } = await chooseLocalInstance(wanted, options, {
        can: 'be reached at its consoles',
        elsewhere: ELSEWHERE,
      });
      const directory = cloud.directoryOf(instance);
      const args = [builtFile('programs', 'quorated.js'), 'recover-access', directory];
      const child = spawn(process.execPath, [...args, path.resolve(options.out), options.name], { stdio: 'inherit' });
      const [code] = await once(child, 'exit');
      if (code !== 0) throw new QuorateError('no-access', `machine ${instance.tags.machine} made no certificate.`);
    });
}
