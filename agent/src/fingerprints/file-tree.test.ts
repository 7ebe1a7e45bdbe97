// In: more than fits. Out: proof that the index stays bounded and says that it is cut.
// Never: touches a disk.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVERYTHING } from '@foreshadow/configuration';
import { unreadableFile } from './file-finding.ts';
import { FILES_MAX, FOLDERS_MAX, FileTree, type Folder } from './file-tree.ts';

test('beyond the bound files are left out, and the whole is marked as incomplete', () => {
  const tree = new FileTree();
  const root = openRoot(tree);
  for (let at = 0; at < FILES_MAX; at += 1) assert.equal(put(tree, root, `${at}`), true);
  assert.equal(tree.isCut, false);
  assert.equal(put(tree, root, 'more'), false);
  assert.equal(put(tree, root, '7'), true);
  assert.equal(tree.findings().length, FILES_MAX + 1);
  assert.deepEqual(tree.findings().at(-1), {
    kind: 'unreadable',
    subject: 'file',
    name: EVERYTHING,
    reason: 'too-large',
  });
  tree.removeFile(root, '7');
  tree.forgetCut();
  assert.equal(put(tree, root, 'more'), true);
  assert.equal(tree.findings().length, FILES_MAX);
});

test('beyond the bound folders are left out, and leaving makes room for all below', () => {
  const tree = new FileTree();
  const root = openRoot(tree);
  for (let at = 1; at < FOLDERS_MAX; at += 1) {
    const child = open(tree, `/r/${at}`, root);
    if (child !== undefined) tree.putFolder(root, `${at}`, child);
  }
  assert.equal(open(tree, '/r/more', root), undefined);
  assert.equal(tree.isCut, true);
  tree.leave(root);
  tree.forgetCut();
  assert.deepEqual(tree.findings(), []);
  assert.notEqual(open(tree, '/r', undefined), undefined);
});

test('findings are the same list until something changes', () => {
  const tree = new FileTree();
  const root = openRoot(tree);
  put(tree, root, 'a');
  const before = tree.findings();
  put(tree, root, 'a');
  tree.unblind(root);
  assert.equal(tree.findings(), before);
  put(tree, root, 'b');
  assert.notEqual(tree.findings(), before);
});

function openRoot(tree: FileTree): Folder {
  const root = open(tree, '/r', undefined);
  assert(root !== undefined);
  tree.roots.set('/r', root);
  return root;
}

function open(tree: FileTree, name: string, parent: Folder | undefined): Folder | undefined {
  return tree.openFolder({ path: Buffer.from(name), name }, { identity: name, device: 1 }, parent);
}

function put(tree: FileTree, folder: Folder, name: string): boolean {
  const file = { path: folder.path, name: `${folder.name}/${name}` };
  return tree.putFile(folder, name, { ...unreadableFile(file, 'permission'), isSettled: true });
}
