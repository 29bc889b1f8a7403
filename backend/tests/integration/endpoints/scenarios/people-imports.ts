import { sendPeople } from '../../../support/people-import.ts';
import type { TestApp } from '../../../support/server.ts';
import { runImportJobs } from '../../platform-users/import-support.ts';
import { fresh, type Scenario } from './scenario.ts';

async function ownerWithImport(app: TestApp) {
  const { token } = await app.ownerWithToken();
  const sent = await sendPeople(app.call, token, `Name,Email\nRavi Kumar,ravi-${fresh()}@students.example\nNobody,\n`);
  return { token, sent, id: sent.body?.data?.id as string, path: `/api/platform-users/imports/${sent.body?.data?.id}` };
}

async function ownerWithChecked(app: TestApp) {
  const owner = await ownerWithImport(app);
  await runImportJobs(app, owner.id);
  return owner;
}

export const peopleImportsScenarios: Record<string, Scenario> = {
  importPeople: async (app) => ({ answer: (await ownerWithImport(app)).sent }),
  listPeopleImports: async (app) => {
    const { token } = await ownerWithImport(app);
    return { answer: await app.call('GET', '/api/platform-users/imports', { token }) };
  },
  getPeopleImport: async (app) => {
    const { token, path } = await ownerWithChecked(app);
    return { answer: await app.call('GET', path, { token }) };
  },
  listPeopleImportRows: async (app) => {
    const { token, path } = await ownerWithChecked(app);
    return { answer: await app.call('GET', `${path}/rows`, { token }) };
  },
  downloadPeopleImportErrors: async (app) => {
    const { token, path } = await ownerWithChecked(app);
    return { answer: await app.call('GET', `${path}/errors`, { token }) };
  },
  commitPeopleImport: async (app) => {
    const { token, path } = await ownerWithChecked(app);
    return { answer: await app.call('POST', `${path}/commit`, { token }) };
  },
  cancelPeopleImport: async (app) => {
    const { token, path } = await ownerWithImport(app);
    return { answer: await app.call('POST', `${path}/cancel`, { token }) };
  },
  undoPeopleImport: async (app) => {
    const { token, path, id } = await ownerWithChecked(app);
    await app.call('POST', `${path}/commit`, { token });
    await runImportJobs(app, id);
    return { answer: await app.call('POST', `${path}/undo`, { token }) };
  },
  downloadPeopleImportTemplate: async (app) => {
    const { token } = await app.ownerWithToken();
    return { answer: await app.call('GET', '/api/platform-users/import-template?format=csv', { token }) };
  },
};
