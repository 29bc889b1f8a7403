-- What figures of the business are read from.

-- What each plan brings is summed up from the movements of the MRR, and from the few changes of a plan that leave it as
-- it is.
CREATE INDEX subscription_changes_plan_idx ON subscription_changes (effective_on)
  WHERE movement IS NULL AND from_plan_version_id <> to_plan_version_id;

-- With the id, what is due of invoices that are being dunned is found without looking each of them up.
DROP INDEX invoices_open_due_idx;
CREATE INDEX invoices_open_due_idx ON invoices (due_date, tenant_id) INCLUDE (amount_due, id) WHERE status = 'OPEN';
