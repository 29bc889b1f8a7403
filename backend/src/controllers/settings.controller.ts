import type { z } from 'zod';
import * as settings from '../services/settings-admin.service.ts';
import { listHistory as history, rollbackSetting as rollback } from '../services/settings-history.service.ts';
import { testSetting as test } from '../services/settings-probes.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/settings.validator.ts';

type Named = { params: { key: string } };
type OfTenant = { params: { tenantId: string } };
type NamedOfTenant = { params: { tenantId: string; key: string } };
type Seen = { ifMatch: number | undefined };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const listDefinitions = () => settings.listDefinitions();

export const listSettings = (ctx: ReadContext<Actor>) => settings.listSettings(ctx);

export const listEffective = (ctx: ReadContext<Actor>, { query }: Query<typeof v.effectiveQuery>) =>
  settings.listEffective(ctx, query);

export const changeSetting = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Named & Seen & Body<typeof v.setSettingBody>,
) => settings.changeSetting(ctx, params.key, body.value, { tenantId: null, seenVersion: ifMatch });

export const removeSetting = (ctx: WriteContext<Actor>, { params, ifMatch }: Named & Seen) =>
  settings.removeSetting(ctx, params.key, { tenantId: null, seenVersion: ifMatch });

export const changeSettings = (ctx: WriteContext<Actor>, { body }: Body<typeof v.bulkBody>) =>
  settings.changeSettings(ctx, body);

export const listHistory = (ctx: ReadContext<Actor>, { params, query }: Named & Query<typeof v.historyQuery>) =>
  history(ctx, params.key, query);

export const rollbackSetting = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Named & Seen & Body<typeof v.rollbackBody>,
) => rollback(ctx, params.key, body, ifMatch);

export const testSetting = (ctx: ManualContext<Actor>, { params, body }: Named & Body<typeof v.testBody>) =>
  test(ctx, params.key, body);

export const listTenantSettings = (ctx: ReadContext<Actor>, { params }: OfTenant) =>
  settings.listTenantSettings(ctx, params.tenantId);

export const changeTenantSetting = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: NamedOfTenant & Seen & Body<typeof v.setSettingBody>,
) => settings.changeSetting(ctx, params.key, body.value, { tenantId: params.tenantId, seenVersion: ifMatch });

export const removeTenantSetting = (ctx: WriteContext<Actor>, { params, ifMatch }: NamedOfTenant & Seen) =>
  settings.removeSetting(ctx, params.key, { tenantId: params.tenantId, seenVersion: ifMatch });
