//! AVG of a DECIMAL: exact, rounded half away from zero, with as many digits as StarRocks' AVG has.
//!
//! | argument | result |
//! | --- | --- |
//! | DECIMAL(p, s) | DECIMAL(38, s + 6); DECIMAL(38, 12) from s = 7 on, DECIMAL(38, s) from s = 12 on |
//! | LARGEINT | DOUBLE |
//! | all others | as DataFusion's AVG has it |
//!
//! DataFusion's own cuts after s + 4 digits, and its sums wrap around at 128 bits.

use std::any::Any;

use arrow_schema::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::functions_aggregate::average::Avg;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature};

mod accumulator;
mod mean;
mod shared;

use accumulator::{Distinct, Groups, One, SUM_DIGITS};
use mean::Mean;
pub(crate) use shared::SharedSums;

/// The function, in the place of DataFusion's of the same name.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Average {
    others: Avg,
}

/// The mean that arguments of these types have, if it is not DataFusion's to reckon.
fn own(arguments: &[DataType]) -> Option<Mean> {
    arguments.first().and_then(Mean::of)
}

fn own_of_fields(arguments: &[FieldRef]) -> Option<Mean> {
    arguments.first().and_then(|field| Mean::of(field.data_type()))
}

impl AggregateUDFImpl for Average {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &'static str {
        "avg"
    }

    fn aliases(&self) -> &[String] {
        self.others.aliases()
    }

    fn signature(&self) -> &Signature {
        self.others.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        own(arguments).map_or_else(|| self.others.return_type(arguments), |mean| Ok(mean.data_type()))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(match own_of_fields(args.expr_fields) {
            Some(mean) if args.is_distinct => Box::new(Distinct::new(mean)),
            Some(mean) => Box::new(One::new(mean)),
            None => return self.others.accumulator(args),
        })
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let Some(mean) = own_of_fields(args.input_fields) else {
            return self.others.state_fields(args);
        };
        let unscaled = DataType::Decimal256(SUM_DIGITS, mean.scale());
        Ok(if args.is_distinct {
            let values = Field::new_list_field(unscaled, true);
            vec![Field::new_list(format_state_name(args.name, "values"), values, false).into()]
        } else {
            vec![
                Field::new(format_state_name(args.name, "count"), DataType::UInt64, true).into(),
                Field::new(format_state_name(args.name, "sum"), unscaled, true).into(),
            ]
        })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match own_of_fields(args.expr_fields) {
            Some(_) => !args.is_distinct,
            None => self.others.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        match own_of_fields(args.expr_fields) {
            Some(mean) => Ok(Box::new(Groups::new(mean))),
            None => self.others.create_groups_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

#[cfg(test)]
mod tests;
