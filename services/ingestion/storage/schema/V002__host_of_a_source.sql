-- Where a source is read: what the bounds and budgets of polling are kept by. '' until a poll has learned the host of the
-- channel's address; the network's name stands for it until then.
ALTER TABLE sources ADD COLUMN host text NOT NULL DEFAULT '';
