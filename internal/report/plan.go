package report

// Plan says what a job would do, and why. Its JSON form is that of `mss plan --output json`.
type Plan struct {
	Job     string          `json:"job"`
	Sources []PlannedSource `json:"sources"`           // all that the job knows of
	Bytes   int64           `json:"bytes"`             // to be read
	Objects int             `json:"objects"`           // data objects to be written
	Rows    *RowPlan        `json:"rows,omitempty"`    // of the warehouse; kpi alone
	Deletes int             `json:"deletes"`           // data objects to be deleted
	Foreign int             `json:"foreign,omitempty"` // of these, what mss did not write
	Because []string        `json:"because,omitempty"` // what the rest does not say
}

// PlannedSource is an object that a job would read, or not.
type PlannedSource struct {
	Key    string `json:"key"`
	Action string `json:"action"` // as in Job.Sources
	Size   int64  `json:"size"`   // bytes; 0 when it is gone
	Read   bool   `json:"read"`
}

// RowPlan counts the rows of kpi_table. Keys that occur on both sides with other values are replaced.
type RowPlan struct {
	Total    int `json:"total"` // rows after the load
	Inserted int `json:"inserted"`
	Replaced int `json:"replaced"`
	Deleted  int `json:"deleted"`
	Same     int `json:"same"`
}
